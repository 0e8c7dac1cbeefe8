#![allow(clippy::unwrap_used)]

use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::thread;

use super::*;

const SHORT: Duration = Duration::from_millis(100);
/// For what must not be waited for.
const LONG: Duration = Duration::from_secs(30);

/// What comes of these bytes when the writer closes behind them.
fn read_closed(bytes: &[u8]) -> Result<HookEvent, EventError> {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.write_all(bytes).unwrap();
    drop(theirs);
    read_event(ours, 4096, LONG)
}

#[test]
fn the_event_is_read_as_the_clients_write_it() {
    let claude = br#"{"session_id":"0b9f","transcript_path":"/h/t.jsonl","cwd":"/h/p",
        "prompt_id":null,"hook_event_name":"SessionEnd","reason":"prompt_input_exit"}"#;
    let expected = HookEvent {
        session_id: Some("0b9f".into()),
        kind: HookEventKind::SessionEnd { reason: "prompt_input_exit".into() },
        cwd: Some("/h/p".into()),
    };
    assert_eq!(read_closed(claude).unwrap(), expected);
    for (text, kind) in [
        (
            r#"{"hook_event_name":"SessionStart","source":"resume"}"#,
            HookEventKind::SessionStart { source: "resume".into() },
        ),
        (
            r#" {"hook_event_name":"sessionEnd","session_id":"","reason":null} "#,
            HookEventKind::SessionEnd { reason: String::new() },
        ),
        // Codex, by its schema session-end.command.input; Gemini CLI 0.61, as it was received.
        (
            r#"{"cwd":"/p","hook_event_name":"SessionEnd","reason":"other","session_id":"","transcript_path":null}"#,
            HookEventKind::SessionEnd { reason: "other".into() },
        ),
        (
            r#"{"session_id":"","transcript_path":"/h/.gemini/tmp/p/chats/s.jsonl","cwd":"/p",
                "hook_event_name":"SessionStart","timestamp":"2026-11-29T23:54:29.224Z","source":"startup"}"#,
            HookEventKind::SessionStart { source: "startup".into() },
        ),
        (r#"{"tool":{"deep":[[]]},"hook_event_name":"Stop"}"#, HookEventKind::Other("Stop".into())),
    ] {
        let event = read_closed(text.as_bytes()).unwrap();
        let cwd = text.contains("\"cwd\"").then(|| "/p".into());
        assert_eq!(event, HookEvent { session_id: None, kind, cwd }, "{text}");
    }
}

#[test]
fn an_open_pipe_behind_the_event_is_not_waited_for() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.write_all(b"{\"hook_event_name\":\"SessionEnd\"}\n").unwrap();
    let begun = Instant::now();
    read_event(&ours, LARGEST, LONG).unwrap();
    assert!(begun.elapsed() < LONG / 2);
    drop(theirs);
}

#[test]
fn an_event_in_pieces_is_put_together() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let writer = thread::spawn(move || {
        for piece in ["{\"hook_event_name\":\"Session", "End\",\"x\":{}", ",\"reason\":\"}\"", "}"] {
            theirs.write_all(piece.as_bytes()).unwrap();
            thread::sleep(Duration::from_millis(10));
        }
        theirs
    });
    let event = read_event(&ours, LARGEST, LONG).unwrap();
    assert_eq!(event.kind, HookEventKind::SessionEnd { reason: "}".into() });
    drop(writer.join().unwrap());
}

#[test]
fn silence_and_half_an_event_end_at_the_deadline() {
    for written in ["", "{\"hook_event_name\":\"SessionEnd\"", "{\"a\":{}"] {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        theirs.write_all(written.as_bytes()).unwrap();
        let begun = Instant::now();
        let error = read_event(&ours, LARGEST, SHORT).unwrap_err();
        assert!(matches!(error, EventError::TooLate(_)), "{written}: {error}");
        assert!(begun.elapsed() >= SHORT);
        drop(theirs);
    }
}

#[test]
fn an_endless_writer_ends_at_the_limit_or_the_deadline() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let writer = thread::spawn(move || {
        let mut sent = theirs.write_all(b"{\"hook_event_name\":\"SessionEnd\",\"x\":\"");
        while sent.is_ok() {
            sent = theirs.write_all(&[b'x'; 8192]);
        }
    });
    let error = read_event(ours, 100_000, LONG).unwrap_err();
    assert!(matches!(error, EventError::TooLarge(100_000)), "{error}");
    writer.join().unwrap();
}

#[test]
fn what_is_no_event_is_refused() {
    for text in ["[1]x", "{\"session_id\":\"x\"}", "{\"hook_event_name\":7}", "{'a'}", "7}", "\u{feff}{}"] {
        let error = read_closed(text.as_bytes()).unwrap_err();
        assert!(matches!(error, EventError::NotAnEvent(_)), "{text}: {error}");
    }
    for text in ["", " \n", "{\"hook_event_name\":\"SessionEnd\"", "{"] {
        let error = read_closed(text.as_bytes()).unwrap_err();
        assert!(matches!(error, EventError::Truncated(length) if length == text.len()), "{text}: {error}");
    }
    // Stdin at /dev/null, as when a person tries the hook by hand.
    let null = std::fs::File::open("/dev/null").unwrap();
    assert!(matches!(read_event(null, LARGEST, LONG).unwrap_err(), EventError::Truncated(0)));
}
