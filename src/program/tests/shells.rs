//! sh -c, env, sudo: what passes on to a command.

use super::table;

#[test]
fn a_shell_runs_the_first_command_that_does_something() {
    table(&[
        ("sh -c b~c", "sh | Binary | b | c"),
        ("sh -c 'b'~'c~d'", "sh | Binary | b | c d"),
        ("bash -lc cd~/x~&&~exec~npx~-y~b", "bash npx | Package | b | "),
        ("bash -o pipefail -c b", "bash | Binary | b | "),
        ("sh -c -l b", "sh | Binary | b | "),
        ("zsh -c A=1~B='2~3'~b;~true", "zsh | Binary | b | "),
        ("sh -c export~A=1;~if~true;~then~b;~fi", "sh | Binary | b | "),
        ("sh -c .~./env~&&~command~-v~x~>/dev/null~||~exit;~b~2>&1", "sh | Binary | b | "),
        ("sh -c exec~\"$0\"~\"$@\" npx -y b", "sh npx | Package | b | "),
        ("sh -c b c", "sh | Binary | b | "),
        ("sh -c npx -y b", "sh npx | Package | b | "),
        ("sh -c time~-p~b", "sh | Binary | b | "),
        ("sh -c command~b", "sh | Binary | b | "),
        ("sh -c -- b", "sh | Binary | b | "),
        ("bash -euo pipefail -c b", "bash | Binary | b | "),
        ("fish --command b~c", "fish | Binary | b | c"),
        ("sh -c ./b.sh~c", "sh | Script | b | c"),
        ("sh -c /n/npx-cli.js~-y~b", "sh npx-cli | Package | b | "),
        ("sh -c cd~/a/b~&&~cd~dist~&&~node~index.js", "sh node | Script | b | "),
        ("sh -c cd~--~/a/b~&&~node~index.js", "sh node | Script | b | "),
        ("bash /x/b.sh c", "bash | Script | b | c"),
        ("bash -e b.sh", "bash | Script | b | "),
        ("bash --norc -eo pipefail b.sh c", "bash | Script | b | c"),
        ("bash -- b.sh -c", "bash | Script | b | -c"),
        ("bash -s b", "-"),
        ("sh -c eval~b", "-"),
        ("sh -c cd~/x", "-"),
        ("bash", "-"),
        ("-zsh", "-"),
        ("bash --rcfile b -i", "-"),
        ("cmd /c npx b", "cmd npx | Package | b | "),
    ]);
}

#[test]
fn passers_pass_on_behind_their_own_words() {
    table(&[
        ("env -i A=b b c", "env | Binary | b | c"),
        ("env -S A=b~b~c", "env | Binary | b | c"),
        ("env -vS b~c", "env | Binary | b | c"),
        ("env A=b b -S c", "env | Binary | b | -S c"),
        ("env npm_config_@a:registry=https://r.example npx b", "env npx | Package | b | "),
        ("timeout -k 5 60 b", "timeout | Binary | b | "),
        ("nice -n 5 nohup b", "nice nohup | Binary | b | "),
        ("sudo -nu x A=b b", "sudo | Binary | b | "),
        ("sudo /x/a=b/c d", "sudo | Binary | c | d"),
        ("runuser -u x b c", "runuser | Binary | b | c"),
        ("runuser x -c exec~\"$0\"~\"$@\" npx b", "runuser npx | Package | b | "),
        ("runuser -l x", "-"),
        ("caffeinate -is b", "caffeinate | Binary | b | "),
        ("direnv exec /x b", "direnv | Binary | b | "),
        ("mise x node@22 -- b", "mise | Binary | b | "),
        ("mise x node@22 python@3.12 -- b -c c", "mise | Binary | b | -c c"),
        ("mise x node@22 -c npx~b", "mise npx | Package | b | "),
        ("mise x node@22", "-"),
        ("mise install b", " | Binary | mise | install b"),
        ("op run --env-file=.env -- b", "op | Binary | b | "),
        ("aws-vault exec p -- b", "aws-vault | Binary | b | "),
        ("dotenv -e .env -- b", "dotenv | Binary | b | "),
        ("poetry run b", "poetry | Binary | b | "),
        ("conda run -n e --no-capture-output b", "conda | Binary | b | "),
        ("nix run f#b -- c", "nix | Package | b | c"),
        ("nix-shell -p a --run npx~b", "nix-shell npx | Package | b | "),
        ("nix-shell -p b", "-"),
        ("nix shell f#b -c b c", "nix | Binary | b | c"),
        ("bundle exec ruby b.rb", "bundle ruby | Script | b | "),
        ("nodemon --exec tsx~b.ts", "nodemon tsx typescript | Script | b | "),
        ("nodemon -w src b.js", "nodemon | Script | b | "),
        ("nodemon ./b c", "nodemon | Script | b | c"),
        ("nodemon npx b", "nodemon npx | Package | b | "),
    ]);
}
