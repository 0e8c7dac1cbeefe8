//! node, python, java and other runtimes.

use super::table;

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
        ("node notes c", "node | Script | notes | c"),
        ("node ./docker.js run b", "node | Script | docker | run b"),
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
        ("python --check-hash-based-pycs never x.py", "python | Script | x | "),
        ("python --version", "-"),
        ("python -c code name", "python | Inline | name | name"),
        ("python -m uvicorn a.b:app", "python uvicorn | Module | a.b | "),
        ("python -m uv run a", "python uv | Binary | a | "),
        ("python /v/bin/tool a", "python | Script | tool | a"),
        ("python /v/bin/uvicorn a:app", "python uvicorn | Module | a | "),
        ("python -m debugpy --listen 1 -m a", "python | Module | a | "),
        ("python -m debugpy --listen 1 --wait-for-client x.py a", "python | Script | x | a"),
        ("python -m debugpy --configure-subProcess true --connect 1 x.py", "python | Script | x | "),
        ("python -m debugpy --listen 1 --pid 2", "-"),
        ("python -m pytest x.py", "python | Module | pytest | x.py"),
        ("python -", "-"),
        ("python -i", "-"),
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
        ("dotnet watch run --project /x/B c", "dotnet dotnet run | Binary | B | c"),
        ("dotnet watch --project /x/B -- test", "dotnet dotnet run | Binary | B | test"),
        ("dotnet watch --project /x/B test", "-"),
        ("dotnet run --project /x/B test", "dotnet dotnet run | Binary | B | test"),
        ("dotnet b.cs c", "dotnet dotnet run | Script | b.cs | c"),
        ("dotnet exec --depsfile a b.dll c", "dotnet | Script | b | c"),
        ("dotnet tool run b c", "dotnet dotnet tool | Package | b | c"),
        ("dotnet tool exec --source s b@1 -- c", "dotnet dotnet tool | Package | b | c"),
        ("dotnet tool install b", "-"),
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
        ("dart run b.dart c", "dart dart run | Script | b | c"),
        ("dart pub global run a:b c", "dart dart run | Package | a | c"),
        ("dart pub global activate a", "dart | Binary | dart | pub global activate a"),
        ("dart b.dart c", "dart | Script | b | c"),
        ("dart /x/b/main.snapshot c", "dart | Script | main.snapshot | c"),
        ("dart mcp-server", "dart | Binary | dart | mcp-server"),
        ("jbang org.acme:b:1.0 c", "jbang | Package | org.acme:b:1.0 | c"),
        ("jbang run --java 21 b@acme c", "jbang | Package | b | c"),
        ("jbang /x/b.java c", "jbang | Package | b.java | c"),
        ("swift run b", "swift | Binary | b | "),
        ("make b", "make | Task |  | "),
    ]);
}
