//! What is written down: everything that was done, nothing that was not, and no secrets.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::audit::at;
use crate::look::Who;
use crate::role::Actor;
use crate::shapes;
use crate::stage::{Stage, all_alive, all_dead};

pub(crate) fn a_dry_run_touches_nothing_and_records_nothing(stage: &Stage) {
    let cast = stage.orphan(&shapes::memory("m"));
    let before = below(&stage.home());
    let plan = stage.plan();
    assert!(plan.must_have(cast[0]).reap());
    stage.run(&["--dry-run", "--min-age", "0s"]).exits(0);
    stage.run(&["--dry-run", "--min-age", "0s", "--yes"]).exits(0);
    all_alive(&cast);
    assert_eq!(below(&stage.home()), before, "not even an empty folder");
    stage.reap();
    assert_ne!(below(&stage.home()), before, "unlike a real run");
}

/// Everything in a folder and below it.
fn below(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { below(&path) } else { BTreeSet::new() }.into_iter().chain([path]))
        .collect()
}

pub(crate) fn the_audit_log_tells_the_story(stage: &Stage) {
    let cast = stage.orphan(&shapes::memory("m"));
    let deaf = stage.orphan(&shapes::node("n").but(|a| a.ignores_term = true));
    stage.reap();
    let audit = stage.audit();
    let all: Vec<Who> = cast.iter().chain(&deaf).copied().collect();
    all_dead(&all);
    assert_eq!((audit.of("run-started").len(), audit.of("run-finished").len()), (1, 1));
    assert_eq!(audit.0[0]["event"], "run-started");
    assert!(audit.0.windows(2).all(|w| at(&w[0]) <= at(&w[1])), "in the order in which it happened");
    for who in &all {
        assert!(!audit.about("intent", *who).is_empty(), "{who:?}");
        assert!(!audit.about("signalled", *who).is_empty(), "{who:?}");
    }
    for who in &cast {
        // The shell and the leaf may follow npm before their own signal: that is an end, too.
        let ends = audit.about("exited", *who).len() + audit.about("vanished", *who).len();
        assert_eq!(ends, 1, "{who:?} ends once");
    }
    assert_eq!(audit.about("killed", deaf[0]).len(), 1);
    let npm = audit.about("intent", cast[0])[0].to_string();
    assert!(npm.contains("npm exec @modelcontextprotocol/server-memory"), "argv is in it: {npm}");
    let totals = audit.of("run-finished")[0];
    assert_eq!(totals["instances"], 2, "{totals}");
    assert_eq!(totals["processes"], all.len(), "{totals}");
    // A second run has nothing to end, and says so.
    stage.reap();
    let audit = stage.audit();
    assert_eq!(audit.of("run-finished").last().unwrap()["processes"], 0);
    assert!(audit.of("run-started").iter().all(|l| l["run"].is_string()));
}

pub(crate) fn the_audit_log_is_private(stage: &Stage) {
    stage.orphan(&shapes::node("n"));
    stage.reap();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().mode() & 0o7777;
    assert_eq!(mode(&stage.state_dir()), 0o700);
    for entry in fs::read_dir(stage.state_dir()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

pub(crate) fn secrets_do_not_reach_the_log(stage: &Stage) {
    let secrets = ["sk-ant-Zq81kLmN0pQr77", "hunter2-hunter2", "ghp_Zz9yXw8vUt7sRq6pOn5mLk4jIh3gFe2dCb1a"];
    let argv = [
        "node".to_owned(),
        "/home/u/node_modules/.bin/mcp-server-notion".to_owned(),
        format!("--api-key={}", secrets[0]),
        format!("https://me:{}@example.org/mcp", secrets[1]),
        "--token".to_owned(),
        secrets[2].to_owned(),
    ];
    let argv: Vec<&str> = argv.iter().map(String::as_str).collect();
    let server = Actor::new("n", "node", &argv, crate::role::Play::ServeOn).on(crate::wire::Wire::Socketpair);
    let cast = stage.orphan(&server.with_env("NOTION_TOKEN", "ntn_environment_secret"));
    let table = stage.run(&["record"]).exits(0);
    let plan = stage.run(&["--dry-run", "--json", "--min-age", "0s"]).exits(0);
    let run = stage.reap();
    all_dead(&cast);
    let log = fs::read_to_string(stage.audit_path()).unwrap();
    let said = [table.text(), plan.text(), run.text(), run.complaint(), log].join("\n");
    for secret in secrets.iter().chain(&["ntn_environment_secret"]) {
        assert!(!said.contains(secret), "{secret} was told");
    }
    assert!(said.contains("mcp-server-notion"), "the rest was");
}

pub(crate) fn a_recorded_table_gets_the_same_answer(stage: &Stage) {
    let orphan = stage.orphan(&shapes::devtools("d"));
    let client = stage.client("claude", [shapes::python("p"), shapes::memory("m")]);
    let file = stage.dir.join("table.json");
    let file = file.to_str().unwrap();
    stage.run(&["record", "-o", file]).exits(0);
    let args = ["--dry-run", "--json", "--min-age", "0s", "--snapshot", file];
    let (first, again) = (stage.run(&args).exits(0).json(), stage.run(&args).exits(0).json());
    assert_eq!(first.0["instances"], again.0["instances"], "the same answer on every look");
    let live = stage.plan();
    assert_eq!(first.doomed(), live.doomed());
    assert_eq!(first.doomed(), super::leaks::sorted(&orphan));
    for tag in ["p", "m", "m.node"] {
        assert_eq!(first.must_have(stage.who(tag)).verdict(), "in-use");
    }
    stage.ping(&client, "p");
}

pub(crate) fn a_real_run_reports_every_outcome(stage: &Stage) {
    let cast = stage.orphan(&shapes::memory("m"));
    let run = stage.run(&["--yes", "--json", "--min-age", "0s", "--grace", "1s"]).exits(0);
    let report = run.json();
    let members = report.must_have(cast[0]).0["members"].as_array().unwrap();
    assert_eq!(members.len(), cast.len());
    for member in members {
        assert!(member["outcome"].is_string(), "{member}");
    }
    all_dead(&cast);
}

pub(crate) fn a_limit_on_the_size_of_files_leaves_whole_lines_and_sends_nothing_unrecorded(stage: &Stage) {
    let actor = |tag: &str| shapes::node(tag).but(|a| a.ignores_term = true);
    let cast: Vec<Who> = ["a", "b", "c"].iter().flat_map(|tag| stage.orphan(&actor(tag))).collect();
    // Kilobytes: room for nothing, for the first line, for some more, and for all requests but not for SIGKILL.
    for limit in [0, 1, 2, 4] {
        let line = format!("ulimit -f {limit}; exec \"$0\" --yes --min-age 0s --grace 1s");
        let mut command = std::process::Command::new("bash");
        command.args(["-c", &line]).arg(env!("CARGO_BIN_EXE_mcp-reap")).env_clear().env("HOME", stage.home());
        let run = crate::run::Running::start(command).finish();
        assert!(run.code == 1 || run.code == 2, "{limit}: {}", run.code);
        assert!(run.complaint().contains("File too large"), "{limit}: {}", run.complaint());
        // Every line is whole, and every signal has its intent.
        let audit = stage.audit();
        let count = |event: &str| audit.of(event).len();
        assert!(count("intent") >= count("signalled"), "{limit}");
        all_alive(&cast);
    }
    stage.run(&["--yes", "--min-age", "0s", "--grace", "1s"]).exits(0);
    all_dead(&cast);
    assert_eq!(
        stage.audit().0.last().unwrap()["event"],
        "run-finished",
        "the next run finds nothing in its way"
    );
}
