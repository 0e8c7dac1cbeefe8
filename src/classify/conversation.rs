//! Finds the conversation of its client for which an instance was started. It is only displayed.

use std::collections::HashMap;

use super::finding::{Conversation, Finding};
use crate::process::{Pid, StartTime};

/// Claude Code puts it into the environment of its stdio servers (since 2.1.154).
const CLAUDE_SESSION: &str = "CLAUDE_CODE_SESSION_ID";
/// opencode (1.18) sets it to its own pid; it has one conversation at a time. Codex gives its servers neither a thread id
/// nor anything else that differs between threads.
const OPENCODE: &str = "OPENCODE_PID";

/// Names the conversation of each instance, by its environment or else by its client in `of_client`.
pub fn name_conversations(findings: &mut [Finding<'_>], of_client: &HashMap<Pid, String>) {
    let ids: Vec<Option<String>> = findings.iter().map(|finding| id(finding, of_client)).collect();
    let mut newest: HashMap<Option<Pid>, (StartTime, Pid, &str)> = HashMap::new();
    for (finding, id) in findings.iter().zip(&ids) {
        let Some(id) = id else { continue };
        let root = finding.instance.root;
        let start = (root.id.start, root.pid(), id.as_str());
        let of_this_client = newest.entry(client(finding)).or_insert(start);
        *of_this_client = (*of_this_client).max(start);
    }
    let newest: HashMap<Option<Pid>, String> =
        newest.into_iter().map(|(client, (_, _, id))| (client, id.to_owned())).collect();
    for (finding, id) in findings.iter_mut().zip(ids.clone()) {
        let is_newest = newest.get(&client(finding)) == id.as_ref();
        finding.conversation = id.map(|id| Conversation { id, newest: is_newest });
    }
}

fn client(finding: &Finding<'_>) -> Option<Pid> {
    finding.client.as_ref().map(|client| client.pid)
}

fn id(finding: &Finding<'_>, of_client: &HashMap<Pid, String>) -> Option<String> {
    let variable =
        |name| finding.instance.launchers_and_servers().find_map(move |record| record.env_var(name));
    let of_claude = variable(CLAUDE_SESSION).map(str::to_owned);
    let of_opencode = || variable(OPENCODE).map(|pid| format!("opencode {pid}"));
    let of_its_client = || of_client.get(&client(finding)?).cloned();
    of_claude.or_else(of_opencode).or_else(of_its_client)
}
