#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

mod hosted;

use super::*;

fn redacted(words: &[&str]) -> Vec<String> {
    argv(&words.iter().collect())
}

#[test]
fn a_flag_that_names_a_secret_hides_its_value() {
    for (given, shown) in [
        (["srv", "--api-key", "k1"], ["srv", "--api-key", "<redacted>"]),
        (["srv", "--token", "two words"], ["srv", "--token", "<redacted>"]),
        (["srv", "--password", "-starts-with-dash!"], ["srv", "--password", "<redacted>"]),
        (["srv", "--secret=k1", "x"], ["srv", "--secret=<redacted>", "x"]),
        (["srv", "--password=two words", "x"], ["srv", "--password=<redacted>", "x"]),
        (["srv", "--token", "--verbose"], ["srv", "--token", "--verbose"]),
        (["srv", "--token", "${TOKEN}"], ["srv", "--token", "${TOKEN}"]),
        (["srv", "--key", "/etc/ssl/host.pem"], ["srv", "--key", "/etc/ssl/host.pem"]),
        (["srv", "-t", "stdio"], ["srv", "-t", "stdio"]),
        (["srv", "-p", "8080"], ["srv", "-p", "8080"]),
        (["srv", "-t", "a8Fk2Lq9Zx71"], ["srv", "-t", "<redacted>"]),
        (["curl", "-u", "me:pw"], ["curl", "-u", "me:<redacted>"]),
        (["curl", "--user=me:pw", "x"], ["curl", "--user=me:<redacted>", "x"]),
        (["mysql", "-pa8Fk2Lq9Zx71", "x"], ["mysql", "-p<redacted>", "x"]),
        (["java", "-plugins", "-port=8080"], ["java", "-plugins", "-port=8080"]),
        (["login", "--password-stdin", "x"], ["login", "--password-stdin", "x"]),
        (["docker", "-u", "1000:1000"], ["docker", "-u", "1000:1000"]),
        (["srv", "--session", "a8Fk2Lq9Zx71"], ["srv", "--session", "<redacted>"]),
        (["srv", "token", "a8Fk2Lq9Zx71"], ["srv", "token", "<redacted>"]),
    ] {
        assert_eq!(redacted(&given), shown);
    }
}

#[test]
fn assignments_and_headers_hide_what_they_assign() {
    for (given, shown) in [
        ("GITHUB_TOKEN=abc", "GITHUB_TOKEN=<redacted>"),
        ("--env=API_KEY=a b", "--env=API_KEY=<redacted>"),
        ("-eAPI_KEY=abc", "-eAPI_KEY=<redacted>"),
        ("Authorization: Bearer abc def", "Authorization: <redacted>"),
        ("X-Api-Key:abc", "X-Api-Key:<redacted>"),
        ("--header=Authorization: Bearer abc", "--header=Authorization: <redacted>"),
        ("host=db password=abc user=me", "host=db password=<redacted> user=me"),
        (
            r#""{\\\"apiKey\\\":\\\"x y\\\",\\\"n\\\":1}""#,
            r#""{\\\"apiKey\\\":\\\"<redacted>\\\",\\\"n\\\":1}""#,
        ),
        ("Authorization:${AUTH}", "Authorization:${AUTH}"),
        ("LOG_LEVEL=debug", "LOG_LEVEL=debug"),
        ("registry.example/team/token:latest", "registry.example/team/token:latest"),
        ("Server=db;User Id=sa;Password=abc;x", "Server=db;User Id=sa;Password=<redacted>"),
        ("--url=https://u:p@h/x", "--url=https://<redacted>@h/x"),
        ("DATABASE_URL=postgres://u:p@h/db", "DATABASE_URL=postgres://<redacted>@h/db"),
        (r#"{"Authorization":"Bearer a b","n":1}"#, r#"{"Authorization":"<redacted>","n":1}"#),
        (r#"{"env":{"API_KEY" : "x"},"p":"/srv"}"#, r#"{"env":{"API_KEY" : "<redacted>"},"p":"/srv"}"#),
        (r#"{\"apiKey\":\"x y\",\"n\":1}"#, r#"{\"apiKey\":\"<redacted>\",\"n\":1}"#),
        (r#"{"token":123,"n":1}"#, r#"{"token":<redacted>,"n":1}"#),
        (r#"["--token","abc","/srv"]"#, r#"["--token","<redacted>","/srv"]"#),
        (r#"{"secret":{"value":"x"},"n":1}"#, r#"{"secret":{"value":"<redacted>"},"n":1}"#),
        (r#"{"tokens":["a","b"]}"#, r#"{"tokens":["<redacted>","b"]}"#),
    ] {
        assert_eq!(redacted(&["srv", given]), ["srv", shown], "{given}");
    }
}

#[test]
fn titles_and_shell_lines_are_read_word_by_word() {
    for (given, shown) in [
        ("npm exec a-mcp --token abc /srv", "npm exec a-mcp --token <redacted> /srv"),
        (
            "npm exec mcp-remote https://h --header Authorization: Bearer abc -v",
            "npm exec mcp-remote https://h --header Authorization: Bearer <redacted> -v",
        ),
        (
            r#"curl -H "Authorization: Bearer abc d" https://h"#,
            r#"curl -H "Authorization: <redacted>" https://h"#,
        ),
        ("API_KEY=abc node server.js", "API_KEY=<redacted> node server.js"),
        ("API_KEY='a b' node server.js", "API_KEY='<redacted>' node server.js"),
        ("run 'x --token abc' y", "run 'x --token <redacted>' y"),
        ("node a.js --token=\"a b\" --port 80", "node a.js --token=\"<redacted>\" --port 80"),
        ("node a.js --max-tokens 4096", "node a.js --max-tokens 4096"),
        ("api_key = \"abc\"", "api_key = \"<redacted>\""),
    ] {
        assert_eq!(text(given), shown);
        assert_eq!(redacted(&[given]), [shown]);
        assert_eq!(redacted(&["sh", "-c", given]), ["sh", "-c", shown]);
    }
}

#[test]
fn command_lines_without_secrets_stay_as_they_are() {
    for words in [
        &["npm exec @modelcontextprotocol/server-filesystem /srv/data", "", ""][..],
        &["node", "/home/u/.npm/_npx/15b07286cbcc3329/node_modules/.bin/mcp-server-memory"],
        &["docker", "run", "-i", "--rm", "-e", "GITHUB_TOKEN", "ghcr.io/github/github-mcp-server"],
        &["uv", "tool", "uvx", "--from", "git+https://github.com/o/r@v1.2", "notes-mcp", "--port=8000"],
        &["python3", "-m", "notes.server", "--db", "/srv/550e8400-e29b-41d4-a716-446655440000.db"],
        &["sh", "-c", "cd /srv && exec node dist/index.js --stdio 2>>/tmp/log"],
        &["npm", "run", "auth"],
        &["deno", "run", "--allow-net=api.example.com:443", "jsr:@scope/notes-mcp"],
    ] {
        assert_eq!(redacted(words), words);
    }
}

#[test]
fn bytes_that_are_no_text_are_hidden_like_text() {
    let argv_ = Argv::from([&b"srv"[..], b"--token", b"\xff\xfe"]);
    assert_eq!(argv(&argv_), ["srv", "--token", "<redacted>"]);
}

#[test]
fn a_hostile_argument_of_128_kb_costs_no_more_than_its_length() {
    // The longest argument Linux takes (MAX_ARG_STRLEN); anything quadratic would take minutes.
    for piece in [
        "\\",
        "\\\"",
        "\"",
        "a=",
        "a:",
        "'a ",
        "\"token\":",
        "://",
        "@",
        "?a=",
        "eyJ",
        "\\\"a \"b ",
        "--token ",
    ] {
        let long = piece.repeat((128 << 10) / piece.len());
        let start = std::time::Instant::now();
        assert_eq!(argv(&Argv::from([long])).len(), 1);
        assert!(start.elapsed().as_secs() < 30, "{piece}: {:?}", start.elapsed());
    }
}

/// Command lines made of the pieces that the scanner looks at.
fn line() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "--token",
        "--api-key=",
        "-t",
        "-e",
        "-u",
        "KEY=",
        "Bearer",
        "Authorization:",
        "https://",
        "u:p",
        "@h",
        "?",
        "&",
        "sig=",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "\\\"",
        "'",
        ",",
        ":",
        "=",
        " ",
        " ",
        "\t",
        "\\",
        "/",
        "sk-ant-",
        "ghp_0123456789",
        "a",
        "é",
        "0",
        "token",
        "password",
        "$X",
        "<redacted>",
        "-c",
        "-----BEGIN ",
        "sha256:",
        "550e8400-e29b-41d4-a716-446655440000",
        "Q2x9dE5vVGhpc0lzQVRlc3Q0N0lzTG9uZw",
        "true",
        "./a.pem",
        "#",
    ]);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// A secret with nothing around it that could be mistaken for a switch, a flag or a file.
fn secret() -> impl Strategy<Value = String> {
    "[A-Za-z0-9]{6}[A-Za-z0-9+/=_.!~-]{0,40}[A-Za-z0-9]{2}"
}

#[test]
fn a_switch_in_front_of_a_named_secret_does_not_shield_it() {
    for (line, shown) in [
        (&["curl", "-k", "--token", "hunter2"][..], &["curl", "-k", "--token", "<redacted>"][..]),
        (&["x-mcp", "-s", "--api-key", "hunter2"], &["x-mcp", "-s", "--api-key", "<redacted>"]),
        (&["x-mcp", "-p", "PASSWORD=hunter2"], &["x-mcp", "-p", "PASSWORD=<redacted>"]),
        (&["x-mcp", "-t", "postgres://u:hunter2@db/n"], &["x-mcp", "-t", "postgres://<redacted>@db/n"]),
        (&["x-mcp", "-t", "stdio", "-p", "8080"], &["x-mcp", "-t", "stdio", "-p", "8080"]),
    ] {
        assert_eq!(argv(&line.iter().collect()), shown);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn hiding_twice_hides_no_more(lines in prop::collection::vec(line(), 1..5)) {
        let once = argv(&lines.iter().collect());
        let twice = argv(&once.iter().collect());
        prop_assert_eq!(&once, &twice);
        let one = text(&lines.concat());
        prop_assert_eq!(&text(&one), &one);
    }

    #[test]
    fn no_bytes_make_it_panic(args in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..6)) {
        let args: Argv = args.into_iter().collect();
        prop_assert_eq!(argv(&args).len(), args.len());
    }

    #[test]
    fn nothing_of_a_named_secret_is_seen(secret in secret()) {
        for words in [
            vec!["srv".to_owned(), "--token".into(), secret.clone()],
            vec!["srv".to_owned(), format!("--api-key={secret}")],
            vec!["docker".to_owned(), "-e".into(), format!("MY_SECRET={secret}")],
            vec!["srv".to_owned(), "-H".into(), format!("Authorization: Bearer {secret}")],
            vec!["srv".to_owned(), format!(r#"{{"a":1,"password":"{secret}"}}"#)],
            vec![format!("npm exec x-mcp --token {secret} --port 1")],
            vec!["sh".to_owned(), "-c".into(), format!("A_TOKEN={secret} node x.js")],
            vec!["srv".to_owned(), format!("postgres://me:{secret}@h/db")],
            vec!["srv".to_owned(), format!("https://h/?access_token={}", secret.replace(['/', '+', '='], "a"))],
        ] {
            let shown = redacted(&words.iter().map(String::as_str).collect::<Vec<_>>()).join(" ");
            for part in 0..=secret.len() - 5 {
                prop_assert!(!shown.contains(&secret[part..part + 5]), "{} in {}", secret, shown);
            }
        }
    }
}
