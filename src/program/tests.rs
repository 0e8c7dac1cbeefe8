//! Tables of command lines, one per launcher: what stands before the program, its kind, its first
//! name, its arguments.
#![allow(clippy::unwrap_used)]

use super::*;

/// `layers | kind | name | arguments`, or `-` where nothing is known to run.
fn told(words: &[&str]) -> String {
    let argv: Argv = words.iter().collect();
    let seen = resolve(Some(&argv), None, &RawText::from("x"));
    let Some(program) = seen.program else { return "-".to_owned() };
    let layers: Vec<_> = seen.layers.iter().map(|layer| layer.tool.as_str()).collect();
    let name = program.folders.into_iter().next().or(program.names.first().cloned()).unwrap_or_default();
    format!("{} | {:?} | {name} | {}", layers.join(" "), program.kind, program.args.join(" "))
}

/// Words are parted by spaces; `~` stands for a space inside a word.
fn table(cases: &[(&str, &str)]) {
    for (line, expected) in cases {
        let words: Vec<String> = line.split(' ').map(|word| word.replace('~', " ")).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(told(&words), *expected, "{line}");
    }
}

#[test]
fn node_runs_the_first_word_that_is_no_option() {
    table(&[
        ("node x.js a", "node | Script | x | a"),
        ("node --inspect x.js", "node | Script | x | "),
        ("node -r dotenv/config --import tsx x.ts", "node | Script | x | "),
        ("node --require=a --max-old-space-size 4096 x.mjs", "node | Script | x | "),
        ("node /n/node_modules/@a/b/dist/index.js", "node | Script | @a/b | "),
        ("node /n/node_modules/.bin/b", "node | Script | b | "),
        ("node /n/node_modules/.bin/tsx x.ts", "node tsx typescript | Script | x | "),
        ("node /n/node_modules/npm/bin/npx-cli.js -y b", "node npx-cli | Package | b | "),
        ("node /usr/bin/npx -y b c", "node npx | Package | b | c"),
        ("node -e code name", "node | Inline | name | name"),
        ("node -e code /x/name.js", "node | Inline |  | /x/name.js"),
        ("node --run task", "node | Task | task | "),
        ("node inspect x.js", "node | Script | x | "),
        ("node --watch x.js", "node node --watch | Script | x | "),
        ("node", "-"),
        ("node -", "-"),
        ("node --test x.js", "-"),
        ("node --check x.js", "-"),
    ]);
}

#[test]
fn python_runs_a_file_a_module_or_code() {
    table(&[
        ("python x.py a", "python | Script | x | a"),
        ("python3.12 -u -X dev -W ignore x.py", "python | Script | x | "),
        ("python -um a.b c", "python | Module | a.b | c"),
        ("python -ma.b", "python | Module | a.b | "),
        ("python -Wignore -m a", "python | Module | a | "),
        ("python -c code name", "python | Inline | name | name"),
        ("python -m uvicorn a.b:app", "python uvicorn | Module | a.b | "),
        ("python -m uv run a", "python uv | Binary | a | "),
        ("python /v/bin/tool a", "python | Script | tool | a"),
        ("python /v/bin/uvicorn a:app", "python uvicorn | Module | a | "),
        ("python -m debugpy --listen 1 -m a", "python | Module | a | "),
        ("python -", "-"),
        ("python -i", "-"),
    ]);
}

#[test]
fn package_runners_run_a_package_or_the_bin_of_one() {
    table(&[
        ("npx -y @a/b@1 c", "npx | Package | @a/b | c"),
        ("npx -y -p @a/b -p d bin c", "npx | Package | @a/b | c"),
        ("npx --package=@a/b -- bin", "npx | Package | @a/b | "),
        ("npx --registry https://r.example b", "npx | Package | b | "),
        ("npx -c b~--x", "npx | Binary | b | --x"),
        ("npx tsx x.ts", "npx tsx typescript | Script | x | "),
        ("npx ./x.js", "npx | Script | x | "),
        ("npx", "-"),
        ("npm exec b -- c", "npm | Package | b | c"),
        ("npm~exec~@a/b~c", "npm | Package | @a/b | c"),
        ("npm --prefix /srv/b start", "npm | Task | b | "),
        ("npm run c --prefix /srv/b -- d", "npm | Task | c | --prefix /srv/b -- d"),
        ("npm install b", "-"),
        ("npm i -g b", "-"),
        ("pnpm dlx b c", "pnpm | Package | b | c"),
        ("pnpm --package=b dlx bin", "pnpm | Package | b | "),
        ("pnpm add b", "-"),
        ("yarn dlx -p b bin", "yarn | Package | b | "),
        ("yarn --cwd /srv/b start", "yarn | Task | b | "),
        ("yarn add b", "-"),
        ("bunx --bun b", "bunx | Package | b | "),
        ("bun x b", "bun bunx | Package | b | "),
        ("bun run x.ts", "bun | Script | x | "),
        ("bun --cwd /srv/b start", "bun bun run | Task | b | "),
        ("bun install b", "-"),
        ("deno run -A --config d.json npm:@a/b@1 c", "deno | Package | @a/b | c"),
        ("deno run --allow-net x.ts", "deno | Script | x | "),
        ("deno x.ts", "deno | Script | x | "),
        ("deno install b", "-"),
        ("pipx run --spec b==1 bin c", "pipx | Package | b | c"),
        ("pipx install b", "-"),
    ]);
}

#[test]
fn uv_runs_a_tool_a_script_or_a_command_of_the_project() {
    table(&[
        ("uvx b@1 c", "uvx | Package | b | c"),
        ("uvx --from b bin c", "uvx | Package | b | c"),
        ("uvx --with a --python 3.12 b", "uvx | Package | b | "),
        ("uv tool uvx --from git+https://h.example/u/b@main bin", "uv | Package | b | "),
        ("uv tool run b", "uv | Package | b | "),
        ("uv run x.py a", "uv | Script | x | a"),
        ("uv --directory /srv/b run main.py", "uv | Script | b | "),
        ("uv run --directory=/srv/b server", "uv | Binary | b | "),
        ("uv run --with a --extra c python -m b", "uv python | Module | b | "),
        ("uv run -m b", "uv | Module | b | "),
        ("uv run env A=1 b", "uv env | Binary | b | "),
        ("uv tool install b", "-"),
        ("uv add b", "-"),
        ("uv sync", "-"),
    ]);
}

#[test]
fn containers_run_an_image_behind_all_their_options() {
    table(&[
        ("docker run -i --rm a/b:1 c", "docker | Image | a/b | c"),
        ("docker run -e A -v /a:/b --name x --network host a/b", "docker | Image | a/b | "),
        ("docker run -itv /a:/b a/b", "docker | Image | a/b | "),
        ("docker run --pull=always --init -p80:80 h:5000/a/b:1", "docker | Image | h:5000/a/b | "),
        ("docker --context c run b", "docker | Image | b | "),
        ("docker container run b", "docker | Image | b | "),
        ("docker run node:22 npx -y b", "docker npx | Package | b | "),
        ("docker run --entrypoint b a/c d", "docker | Binary | b | d"),
        ("docker exec -i -u root box b c", "docker | Binary | b | c"),
        ("podman run --userns keep-id b", "podman | Image | b | "),
        ("docker build -t b .", "-"),
        ("docker compose up b", "-"),
        ("docker run", "-"),
    ]);
}

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
        ("bash /x/b.sh c", "bash | Script | b | c"),
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
        ("timeout -k 5 60 b", "timeout | Binary | b | "),
        ("nice -n 5 nohup b", "nice nohup | Binary | b | "),
        ("sudo -nu x A=b b", "sudo | Binary | b | "),
        ("caffeinate -is b", "caffeinate | Binary | b | "),
        ("direnv exec /x b", "direnv | Binary | b | "),
        ("mise x node@22 -- b", "mise | Binary | b | "),
        ("mise install b", " | Binary | mise | install b"),
        ("op run --env-file=.env -- b", "op | Binary | b | "),
        ("aws-vault exec p -- b", "aws-vault | Binary | b | "),
        ("dotenv -e .env -- b", "dotenv | Binary | b | "),
        ("poetry run b", "poetry | Binary | b | "),
        ("conda run -n e --no-capture-output b", "conda | Binary | b | "),
        ("nix run f#b -- c", "nix | Package | b | c"),
        ("nix shell f#b -c b c", "nix | Binary | b | c"),
        ("bundle exec ruby b.rb", "bundle ruby | Script | b | "),
        ("nodemon --exec tsx~b.ts", "nodemon tsx typescript | Script | b | "),
        ("nodemon -w src b.js", "nodemon | Script | b | "),
    ]);
}

#[test]
fn other_runtimes_name_a_jar_a_class_an_assembly_or_a_target() {
    table(&[
        ("java -Xmx1g -jar /x/b-0.1.0-all.jar c", "java | Script | b | c"),
        ("java -cp a:b com.a.B c", "java | Module | com.a.B | c"),
        ("java -p m -m a.b/com.C", "java | Module | a.b | "),
        ("dotnet b.dll c", "dotnet | Script | b | c"),
        ("dotnet run --project /x/B/B.csproj -- c", "dotnet dotnet run | Binary | B | c"),
        ("dotnet build b", "-"),
        ("ruby -I lib b.rb", "ruby | Script | b | "),
        ("php -d a=b b.php", "php | Script | b | "),
        ("perl -e code", "perl | Inline |  | "),
        ("go run ./cmd/b c", "go | Binary | b | c"),
        ("go build -o b", "-"),
        ("cargo run -q --bin b -- c", "cargo | Binary | b | c"),
        ("cargo run --manifest-path /x/b/Cargo.toml", "cargo | Binary | b | "),
        ("cargo build --bin b", "-"),
        ("dart run a:b", "dart dart run | Package | a | "),
        ("swift run b", "swift | Binary | b | "),
        ("make b", "make | Task |  | "),
    ]);
}

#[test]
fn titles_that_were_written_over_a_command_line_are_split_where_the_program_ends() {
    for (title, exe, name) in [
        ("npm exec b", Some("/usr/bin/node"), "b"),
        ("b --x y", Some("/usr/bin/node"), "b"),
        ("/opt/chrome --type=renderer --x", None, "chrome"),
        ("/opt/my dir/b", Some("/opt/my dir/b"), "b"),
        ("/opt/my dir/b --x", Some("/opt/my dir/b"), "b"),
        ("/Applications/A B.app/Contents/MacOS/A B --x", None, "A B"),
        ("/Applications/A - C.app/Contents/MacOS/E", None, "E"),
        ("A Helper (Plugin): extension-host [1]", None, "A Helper (Plugin)"),
        ("sshd: b [priv]", Some("/usr/sbin/sshd"), "sshd"),
        ("/usr/bin/node /x/b.js", None, "b"),
    ] {
        let seen = resolve(Some(&Argv::from([title])), exe.map(RawText::from).as_ref(), &RawText::from("x"));
        assert_eq!(seen.program.unwrap().names[0], name, "{title}");
    }
}
