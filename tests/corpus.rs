//! The labelled command lines of `tests/corpus/`, and of any other file in `MCP_REAP_CORPUS`: how
//! many servers and launchers are found by launch style, and what is taken for one wrongly.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeMap;

use mcp_reap::catalog::{Catalog, Configured, Identification, Role};
use mcp_reap::process::{Pid, ProcessRecord, StartTime, Stdio, StdioKind};
use serde::Deserialize;

#[derive(Deserialize)]
struct Line {
    argv: Vec<String>,
    kind: String,
    #[serde(default)]
    style: Option<String>,
    #[serde(default, alias = "has_mcp_text")]
    name_says: bool,
    #[serde(default)]
    exe: Option<String>,
    /// Command and arguments of the client configuration that it was started from.
    #[serde(default)]
    config: Option<Vec<String>>,
    /// The name it is shown under, where the line says it.
    #[serde(default)]
    name: Option<String>,
}

impl Line {
    fn record(&self) -> ProcessRecord {
        let mut record = ProcessRecord::new(Pid(4242), StartTime(1));
        // npm writes its title over the command line, as one string.
        let words = if self.argv[0] == "npm" && self.argv.get(1).is_some_and(|word| word == "exec") {
            vec![self.argv.join(" ")]
        } else {
            self.argv.clone()
        };
        let first = words[0].split(' ').next().unwrap();
        record.comm = first.rsplit('/').next().unwrap().chars().take(15).collect::<String>().into();
        record.details.exe =
            self.exe.clone().or_else(|| words[0].starts_with('/').then(|| words[0].clone())).map(Into::into);
        record.argv = Some(words.into_iter().collect());
        record
    }

    fn style(&self) -> String {
        self.style.clone().unwrap_or_else(|| {
            self.argv[0]
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .split(' ')
                .next()
                .unwrap_or_default()
                .to_owned()
        })
    }

    fn is_server(&self) -> bool {
        matches!(self.kind.as_str(), "mcp-server" | "mcp-launcher")
    }
}

fn lines(text: &str) -> Vec<Line> {
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect()
}

fn seen_as_server(found: Option<&Identification>) -> bool {
    found.is_some_and(|found| matches!(found.role, Role::Server | Role::Launcher))
}

struct Score {
    recall: f64,
    table: String,
    missed: Vec<String>,
    wrong: Vec<String>,
}

/// `strict` also asks that clients, helpers and wrappers are known as such, not only that none is
/// taken for a server.
fn score(lines: &[Line], catalog: &Catalog, strict: bool) -> Score {
    let mut styles: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let (mut missed, mut wrong) = (Vec::new(), Vec::new());
    let (mut quiet, mut quiet_found, mut others) = (0, 0, 0);
    for line in lines {
        let found = catalog.identify(&line.record());
        let text = format!("{:<12} {}", line.kind, line.argv.join(" "));
        if line.is_server() && line.name_says {
            let entry = styles.entry(line.style()).or_default();
            entry.0 += 1;
            if seen_as_server(found.as_ref()) {
                entry.1 += 1;
            } else {
                missed.push(format!("{text}  -> {found:?}"));
            }
        } else if line.is_server() {
            quiet += 1;
            quiet_found += usize::from(seen_as_server(found.as_ref()));
        } else {
            others += 1;
            let expected = match line.kind.as_str() {
                _ if !strict => !seen_as_server(found.as_ref()),
                "client" => found.as_ref().is_some_and(|found| found.role == Role::Client),
                "helper" => found.as_ref().is_none_or(|found| found.role == Role::Helper),
                "wrapper" => found.as_ref().is_some_and(|found| found.role == Role::Wrapper),
                _ => !seen_as_server(found.as_ref()),
            };
            if !expected {
                wrong.push(format!("{text}  -> {found:?}"));
            }
        }
    }
    let (all, hit) = styles.values().fold((0, 0), |sum, (all, hit)| (sum.0 + all, sum.1 + hit));
    let mut table = "| launch style | lines | found |\n|---|---|---|\n".to_owned();
    for (style, (all, hit)) in &styles {
        table += &format!("| {style} | {all} | {hit} |\n");
    }
    table +=
        &format!("| all that say it | {all} | {hit} |\n| of those that do not | {quiet} | {quiet_found} |\n");
    table += &format!("| of others, taken wrongly | {others} | {} |\n", wrong.len());
    println!("{table}");
    Score { recall: hit as f64 / all.max(1) as f64, table, missed, wrong }
}

#[test]
fn what_the_name_says_is_found_and_nothing_else() {
    let lines = lines(include_str!("corpus/command-lines.jsonl"));
    assert!(lines.len() >= 300, "{} lines", lines.len());
    let score = score(&lines, &Catalog::builtin(), true);
    for line in score.missed.iter().chain(&score.wrong) {
        println!("{line}");
    }
    assert!(score.wrong.is_empty(), "{} taken for what they are not", score.wrong.len());
    assert!(score.recall >= 0.99, "recall {:.3}", score.recall);
    let page = include_str!("../docs/identification.md");
    assert!(page.contains(&score.table), "docs/identification.md has other numbers than\n{}", score.table);
    assert!(page.contains(&format!("({} labelled lines)", lines.len())), "{} lines", lines.len());
}

#[test]
fn every_configured_server_is_found_by_its_entry() {
    let lines = lines(include_str!("corpus/command-lines.jsonl"));
    let mut seen = 0;
    for line in &lines {
        let Some(argv) = line.config.clone() else { continue };
        seen += 1;
        // Relative paths count from the folder that both were started in.
        let cwd = Some("/srv/p".into());
        let entry = Configured { client: "claude-code".into(), entry: "one".into(), argv, cwd };
        let mut record = line.record();
        record.details.cwd = Some("/srv/p".into());
        record.details.stdio = Some(Stdio::of_kind(StdioKind::Pipe));
        let found = Catalog::builtin().with_configured(vec![entry]).identify(&record);
        assert!(seen_as_server(found.as_ref()), "{:?} {:?}", line.config, line.argv);
    }
    assert!(seen >= 20, "{seen} configured lines");
}

#[test]
fn the_processes_of_one_server_agree_on_its_name() {
    let catalog = Catalog::builtin();
    for line in lines(include_str!("corpus/command-lines.jsonl")) {
        let Some(name) = &line.name else { continue };
        let found = catalog.identify(&line.record());
        assert_eq!(found.as_ref().map(|found| found.name.as_str()), Some(name.as_str()), "{:?}", line.argv);
    }
}

#[test]
fn another_corpus_keeps_the_bar() {
    let Ok(path) = std::env::var("MCP_REAP_CORPUS") else { return };
    let lines = lines(&std::fs::read_to_string(path).unwrap());
    let score = score(&lines, &Catalog::builtin(), false);
    for line in score.missed.iter().chain(&score.wrong) {
        println!("{line}");
    }
    assert!(
        score.wrong.is_empty() && score.recall >= 0.99,
        "recall {:.4}, {} wrong",
        score.recall,
        score.wrong.len()
    );
}
