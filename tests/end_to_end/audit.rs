//! The audit log, read with the eyes of somebody who has to rely on it.

use std::collections::HashSet;
use std::path::Path;

use serde_json::Value;

use crate::look::Who;
use crate::schema;

/// All lines, oldest first.
#[derive(Debug)]
pub(crate) struct Audit(pub(crate) Vec<Value>);

impl Audit {
    /// Reads a log that may not be there yet. Every line must be whole, as docs/schema says.
    pub(crate) fn read(path: &Path) -> Audit {
        let Ok(text) = std::fs::read_to_string(path) else { return Audit(Vec::new()) };
        assert!(text.is_empty() || text.ends_with('\n'), "the last line is torn: {text:?}");
        let line = |line: &str| -> Value {
            let value: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("no JSON: {e}: {line}"));
            assert_eq!(schema::problems("audit-event", &value), [""; 0], "{line}");
            at(&value);
            value
        };
        Audit(text.lines().map(line).collect())
    }

    /// The events of one kind.
    pub(crate) fn of(&self, event: &str) -> Vec<&Value> {
        self.0.iter().filter(|line| line["event"] == event).collect()
    }

    /// The events of one kind about one process.
    pub(crate) fn about(&self, event: &str, who: Who) -> Vec<&Value> {
        self.of(event).into_iter().filter(|line| line["pid"].as_u64() == Some(who.pid.into())).collect()
    }

    /// Nothing at all is said about these.
    pub(crate) fn is_silent_about(&self, some: &[Who]) {
        for who in some {
            let told: Vec<_> = self.0.iter().filter(|l| l["pid"].as_u64() == Some(who.pid.into())).collect();
            assert!(told.iter().all(|l| l["event"] == "withheld"), "{who:?} was touched: {told:?}");
        }
    }

    /// What holds for every log, whatever happened: each run begins, ends and says nothing after
    /// its end; every signal and every outcome has its intent before it.
    pub(crate) fn is_sound(&self) {
        let (mut open, mut closed) = (HashSet::new(), HashSet::new());
        let mut meant = HashSet::new();
        for line in &self.0 {
            let (run, pid) = (line["run"].as_str().unwrap(), line["pid"].as_u64());
            let event = line["event"].as_str().unwrap();
            assert!(!closed.contains(run), "after the end of its run: {line}");
            match event {
                "run-started" => assert!(open.insert(run), "started twice: {line}"),
                "run-finished" => {
                    assert!(open.remove(run) && closed.insert(run), "finished, never started: {line}");
                }
                "intent" => {
                    meant.insert((run, pid.unwrap(), line["signal"].to_string()));
                }
                "signalled" => {
                    let intent = (run, pid.unwrap(), line["signal"].to_string());
                    assert!(meant.contains(&intent), "a signal without an intent before it: {line}");
                }
                "exited" | "killed" | "survived" => {
                    assert!(
                        meant.iter().any(|m| m.0 == run && Some(m.1) == pid),
                        "an outcome without an intent: {line}"
                    );
                }
                _ => {}
            }
            assert!(
                event == "run-started" || open.contains(run) || closed.contains(run),
                "outside a run: {line}"
            );
        }
        assert!(open.is_empty(), "runs that never ended: {open:?}");
    }
}

/// When something was told, in milliseconds since the epoch. `2026-11-20T14:00:00.000Z`, always UTC.
pub(crate) fn at(line: &Value) -> i64 {
    let text = line["at"].as_str().unwrap_or_else(|| panic!("no time: {line}"));
    assert!(
        text.ends_with('Z') && text.len() == "2026-11-20T14:00:00.000Z".len(),
        "not UTC with milliseconds: {text}"
    );
    chrono::DateTime::parse_from_rfc3339(text).unwrap_or_else(|e| panic!("{e}: {text}")).timestamp_millis()
}
