//! Finds the conversation of a running client. Claude Code writes `sessions/PID.json` below its folder.
//!
//! ```json
//! {"pid":4242,"procStart":"81244","sessionId":"3f2a77c1-…","cwd":"/home/kim/shop"}
//! ```
//! The file stays when the client is killed, and `/clear` does not always update it. So it counts only if the process
//! with that pid has that start, and only if a server's environment does not name the conversation.

use chrono::{Local, NaiveDateTime};
use serde::Deserialize;

use super::places::{Base, Places};
use crate::os::file;
use crate::process::ProcessRecord;

/// Real files are below 1 kB.
const LARGEST: u64 = 64 << 10;

/// `ps -o lstart` has whole seconds.
const ROUNDING: f64 = 2.0;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SessionFile {
    pid: u32,
    proc_start: Option<serde_json::Value>,
    session_id: String,
}

/// The conversation of a running Claude Code, if its file names it. `None` if the file cannot be read or belongs to
/// another process. That causes no warning, because the conversation is only displayed.
pub fn conversation(places: &Places, client: &ProcessRecord) -> Option<String> {
    let name = format!("sessions/{}.json", client.pid());
    Base::ClaudeDir.folders(places).into_iter().find_map(|folder| {
        let bytes = file::read(&folder.join(&name), LARGEST).ok()??;
        of_this_process(&bytes, client)
    })
}

fn of_this_process(bytes: &[u8], client: &ProcessRecord) -> Option<String> {
    let found: SessionFile = serde_json::from_slice(bytes).ok()?;
    let start = match found.proc_start? {
        serde_json::Value::String(text) => text,
        serde_json::Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let same = found.pid == client.pid().0 && is_start(&start, client);
    (same && !found.session_id.is_empty()).then_some(found.session_id)
}

/// Is this the start of the client? The text has ticks since boot, as in `/proc/PID/stat`, or a local time as `ps -o
/// lstart` prints it.
fn is_start(text: &str, client: &ProcessRecord) -> bool {
    if let Ok(ticks) = text.parse::<u64>() {
        return ticks == client.id.start.0;
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let local = NaiveDateTime::parse_from_str(&words.join(" "), "%a %b %d %H:%M:%S %Y").ok();
    let at = local.and_then(|local| local.and_local_timezone(Local).earliest());
    at.is_some_and(|at| (at.timestamp() as f64 - client.started_at).abs() <= ROUNDING)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::clients::Os;
    use crate::process::{Pid, StartTime};

    fn client() -> ProcessRecord {
        let mut record = ProcessRecord::new(Pid(4242), StartTime(81_244));
        record.started_at = 1_795_183_200.4;
        record
    }

    #[test]
    fn only_the_file_of_this_very_process_names_its_conversation() {
        let lstart = chrono::DateTime::from_timestamp(1_795_183_200, 0).unwrap().with_timezone(&Local);
        let lstart = lstart.format("%a %b %e %H:%M:%S %Y").to_string();
        let of = |pid: &str, start: &str| {
            let text = format!(
                r#"{{"pid":{pid},"procStart":{start},"sessionId":"3f2a","cwd":"/srv","status":"x"}}"#
            );
            of_this_process(text.as_bytes(), &client())
        };
        for start in ["\"81244\"", "81244", &format!("\"{lstart}\"")] {
            assert_eq!(of("4242", start).as_deref(), Some("3f2a"), "{start}");
        }
        for (pid, start) in [
            ("4242", "\"81245\""),
            ("4243", "\"81244\""),
            ("4242", "\"Fri Nov 20 03:00:00 2020\""),
            ("4242", "null"),
            ("4242", "[81244]"),
            ("4242", "\"\""),
        ] {
            assert_eq!(of(pid, start), None, "{pid} {start}");
        }
        for text in ["", "{", "{}", "[]", r#"{"pid":4242,"procStart":"81244","sessionId":""}"#] {
            assert_eq!(of_this_process(text.as_bytes(), &client()), None, "{text}");
        }
    }

    #[test]
    fn the_file_lies_below_the_clients_folder_and_is_not_read_beyond_its_bound() {
        let home = tempfile::tempdir().unwrap();
        let places = Places::new(home.path(), Os::here());
        assert_eq!(conversation(&places, &client()), None);
        let folder = home.path().join(".claude/sessions");
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("4242.json");
        let text = r#"{"pid":4242,"procStart":"81244","sessionId":"3f2a"}"#;
        std::fs::write(&path, text).unwrap();
        assert_eq!(conversation(&places, &client()).as_deref(), Some("3f2a"));
        std::fs::write(&path, text.to_owned() + &" ".repeat(usize::try_from(LARGEST).unwrap())).unwrap();
        assert_eq!(conversation(&places, &client()), None);
    }
}
