//! What the documentation shows can be typed, loaded and looked at.
//!
//! Examples with their output stand in `console` fences, which `tests/cli.rs` runs. Here the others: a
//! command line must be one, a configuration must load, JSON must be JSON, a unit must please systemd,
//! a rule must please Prometheus, a picture and a page that is linked must be there.

#![allow(clippy::unwrap_used)]

mod limit;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::CommandFactory as _;
use limit::Limited as _;
use mcp_reap::cli::{Cli, misfit};

/// One block between ``` and ```.
struct Fence {
    /// Where it begins, as `docs/fleet.md:24`.
    at: String,
    language: String,
    text: String,
}

fn pages() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<PathBuf> =
        ["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| root.join(name)).to_vec();
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    pages.extend(docs.filter(|path| path.extension().is_some_and(|end| end == "md")));
    pages
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path.strip_prefix(root).unwrap().to_owned(), text)
        })
        .collect()
}

fn fences_of(page: &Path, text: &str) -> Vec<Fence> {
    let mut fences = Vec::new();
    let mut open: Option<Fence> = None;
    for (number, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(language), None) => {
                let at = format!("{}:{}", page.display(), number + 1);
                open = Some(Fence { at, language: language.to_owned(), text: String::new() });
            }
            (Some(_), Some(fence)) => fences.push(fence),
            (None, Some(mut fence)) => {
                fence.text.push_str(line);
                fence.text.push('\n');
                open = Some(fence);
            }
            (None, None) => {}
        }
    }
    fences
}

fn fences(language: &str) -> Vec<Fence> {
    let all = pages().into_iter().flat_map(|(page, text)| fences_of(&page, &text));
    all.filter(|fence| fence.language == language).collect()
}

/// What a shell would hand to mcp-reap: the words of each command of a line that begins with it.
fn calls(line: &str) -> Vec<Vec<String>> {
    // A comment begins behind a space, a gap of an explanation behind two.
    let line = line.split(" #").next().unwrap().trim();
    let line = line.split("   ").next().unwrap().trim();
    line.split(['|', ';', '>'])
        .flat_map(|part| part.split("&&"))
        .map(|part| part.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .filter(|words| words.first().is_some_and(|word| word == "mcp-reap"))
        .collect()
}

/// Words that stand for something.
fn filled(words: &[String]) -> Vec<String> {
    let value = |word: &String| match word.as_str() {
        "PID" | "N" => "7".to_owned(),
        "SHELL" => "bash".to_owned(),
        "DURATION" => "5s".to_owned(),
        word => word.to_owned(),
    };
    words.iter().map(value).collect()
}

fn must_parse(at: &str, words: &[String]) {
    match Cli::command().try_get_matches_from(filled(words)) {
        Ok(matches) => assert_eq!(misfit(&matches), None, "{at}: {}", words.join(" ")),
        Err(mistake) => assert!(!mistake.use_stderr(), "{at}: {}\n{mistake}", words.join(" ")),
    }
}

#[test]
fn every_command_line_that_is_shown_is_one() {
    let mut seen = 0;
    for fence in fences("sh").into_iter().chain(fences("")) {
        for words in fence.text.lines().flat_map(calls) {
            seen += 1;
            must_parse(&fence.at, &words);
        }
    }
    assert!(seen > 30, "only {seen} were found");
}

#[test]
fn every_command_line_within_a_sentence_is_one() {
    let mut seen = 0;
    for (page, text) in pages() {
        // Fences aside: what is between two single backticks.
        let prose: String = text
            .split("```")
            .step_by(2)
            .map(|part| part.split_once('\n').map_or(part, |(_, rest)| rest))
            .collect();
        for code in prose.split('`').skip(1).step_by(2) {
            let code = code.replace('\n', " ");
            let words: Vec<String> = code.split_whitespace().map(str::to_owned).collect();
            // `mcp-reap schedule install|uninstall` and `mcp-reap ...` are no lines to be typed.
            let typed = !code.contains(['|', '{', '<']) && !code.contains("...");
            if words.first().is_some_and(|word| word == "mcp-reap") && typed {
                seen += 1;
                must_parse(&page.display().to_string(), &words);
            }
        }
    }
    assert!(seen > 20, "only {seen} were found");
}

#[test]
fn a_command_line_that_is_none_would_be_noticed() {
    let line = "cargo install x && mcp-reap --dry-run --oops   # a word";
    assert_eq!(calls(line), [["mcp-reap", "--dry-run", "--oops"].map(str::to_owned).to_vec()]);
    for bad in ["mcp-reap --oops", "mcp-reap frobnicate", "mcp-reap log --snapshot x", "mcp-reap --yes list"]
    {
        let words = calls(bad).swap_remove(0);
        assert!(std::panic::catch_unwind(|| must_parse("here", &words)).is_err(), "{bad}");
    }
}

#[test]
fn every_configuration_that_is_shown_loads() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let load = |text: &str| {
        fs::write(&file, text).unwrap();
        mcp_reap::config::load(Some(&file)).map(|_| ()).map_err(|error| error.to_string())
    };
    let shown = fences("toml");
    assert!(shown.len() >= 2, "only {} were found", shown.len());
    for fence in shown {
        assert_eq!(load(&fence.text), Ok(()), "{}", fence.at);
    }
    assert!(load("[reap]\ngrase = \"5s\"\n").is_err(), "a wrong one would be noticed");
}

#[test]
fn every_json_that_is_shown_is_json() {
    let shown = fences("json");
    assert!(shown.len() >= 4, "only {} were found", shown.len());
    for fence in shown {
        let value: Result<serde_json::Value, _> = serde_json::from_str(&fence.text);
        assert!(value.is_ok(), "{}: {value:?}", fence.at);
    }
}

/// Is this program here?
fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

#[test]
fn every_unit_that_is_shown_pleases_systemd() {
    let shown = fences("ini");
    assert!(shown.len() >= 2, "only {} were found", shown.len());
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for fence in &shown {
        let name = fence.text.lines().next().unwrap().rsplit('/').next().unwrap();
        assert!(
            name.ends_with(".service") || name.ends_with(".timer"),
            "{}: whose name is {name}?",
            fence.at
        );
        files.push(folder.path().join(name));
        fs::write(files.last().unwrap(), &fence.text).unwrap();
    }
    if !has("systemd-analyze") {
        return;
    }
    // It looks for the programs, too: those of the person's home are made up.
    for word in shown.iter().flat_map(|fence| fence.text.split_whitespace()) {
        if let Some((_, path)) = word.split_once("%h/").filter(|(_, path)| path.contains("/bin/")) {
            let program = folder.path().join(path);
            fs::create_dir_all(program.parent().unwrap()).unwrap();
            fs::copy("/bin/sh", program).unwrap();
        }
    }
    let verify = |files: &[PathBuf]| {
        let mut command = Command::new("systemd-analyze");
        command.args(["--user", "--man=no", "verify"]).args(files);
        command.env("XDG_RUNTIME_DIR", folder.path()).env("HOME", folder.path());
        String::from_utf8(command.output_soon().stderr).unwrap()
    };
    // It exits with 0 whatever it finds: any word is a fault.
    assert_eq!(verify(&files), "");
    let bad = folder.path().join("bad.service");
    fs::write(&bad, "[Service]\nExecStrat=/bin/true\n").unwrap();
    assert_ne!(verify(&[bad]), "", "a wrong one would be noticed");
}

#[test]
fn every_launchd_job_that_is_shown_is_one() {
    let shown = fences("xml");
    assert!(!shown.is_empty());
    let folder = tempfile::tempdir().unwrap();
    let checker = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plist_check.py");
    let check = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        Command::new("python3").arg(&checker).arg(file).output_soon()
    };
    for (number, fence) in shown.iter().enumerate() {
        let job = plist::Value::from_reader_xml(fence.text.as_bytes()).unwrap().into_dictionary().unwrap();
        let keep = job["KeepAlive"].as_dictionary().unwrap();
        assert_eq!(keep["SuccessfulExit"].as_boolean(), Some(false), "{}: after a crash only", fence.at);
        if has("python3") {
            let output = check(&format!("{number}.plist"), &fence.text);
            assert!(output.status.success(), "{}: {output:?}", fence.at);
            let slip = fence.text.replace("ThrottleInterval", "ThrotleInterval");
            assert!(!check("slip.plist", &slip).status.success(), "a wrong one would be noticed");
        }
    }
}

#[test]
fn every_alert_that_is_shown_is_valid_and_queries_metrics_that_exist() {
    let rules: Vec<Fence> =
        fences("yaml").into_iter().filter(|fence| fence.text.contains("alert:")).collect();
    assert!(!rules.is_empty());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let known: String =
        ["src/render/check/prometheus.rs"].map(|file| fs::read_to_string(root.join(file)).unwrap()).concat();
    for fence in rules {
        for name in fence.text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            if let Some(metric) = name.strip_prefix("mcp_reap_") {
                assert!(known.contains(&format!("\"{metric}\"")), "{}: nobody writes {name}", fence.at);
            }
        }
        if has("promtool") {
            let file = tempfile::NamedTempFile::new().unwrap();
            fs::write(file.path(), &fence.text).unwrap();
            let output = Command::new("promtool").args(["check", "rules"]).arg(file.path()).output_soon();
            assert!(output.status.success(), "{}: {output:?}", fence.at);
        }
    }
}

#[test]
fn every_page_and_picture_that_is_linked_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for (page, text) in pages() {
        for link in text.split("](").skip(1) {
            let target = link.split([')', '#', ' ']).next().unwrap();
            if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            seen += 1;
            let path = root.join(page.parent().unwrap()).join(target);
            assert!(path.exists(), "{} links to {target}", page.display());
        }
    }
    assert!(seen > 20, "only {seen} were found");
}

#[test]
fn pictures_are_small_and_load_nothing() {
    let screens = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/screens");
    let mut seen = 0;
    for entry in fs::read_dir(screens).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "svg") {
            continue;
        }
        seen += 1;
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.len() < 60_000, "{} has {} bytes", path.display(), text.len());
        let foreign = text.replace("http://www.w3.org/2000/svg", "");
        for word in ["://", "@import", "<script", "<image", "/root/"] {
            assert!(!foreign.contains(word), "{}: {word}", path.display());
        }
    }
    assert!(seen >= 7, "only {seen} were found");
}
