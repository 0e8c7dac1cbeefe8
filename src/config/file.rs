//! Parses the text of the configuration file into a policy.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::DeTable;

use super::error::{ConfigError, Source};
use super::locate::Surroundings;
use super::pidfile;
use super::section::Section;
use crate::pattern::Pattern;
use crate::policy::{AllowRule, CountPer, Expectation, Limits, Policy, Retention, ServerRule};
use crate::units::{parse_duration, show_duration};

/// The longest grace. No server needs that long, so a longer one is a slip (`5m` for `5s` is still allowed).
pub(super) const MAX_GRACE: Duration = Duration::from_mins(10);
/// The longest time between the first two looks. After a longer time the first look would mean nothing.
const MAX_CONFIRM_AFTER: Duration = Duration::from_mins(1);
/// The longest `settle`. Other runs wait meanwhile, and the service of a timer has a minute besides the graces.
pub(super) const MAX_SETTLE: Duration = Duration::from_secs(30);
/// The longest `linger`.
const MAX_LINGER: Duration = Duration::from_hours(24);
/// The most days that records are kept: a century.
const MAX_KEEP_DAYS: i64 = 36_500;

/// The configuration of one run.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// What may be ended and what must stay.
    pub policy: Policy,
    /// How long and how much of the audit log is kept.
    pub retention: Retention,
    /// The file it came from; `None` for the defaults.
    pub origin: Option<PathBuf>,
    /// The line of each value that the file sets, as `reap.grace`.
    pub lines: BTreeMap<String, usize>,
}

const DURATION: &str = "a duration such as \"90s\" or \"24h\"";
const PATTERN: &str = "a pattern, as a text";
/// The message for a limit of zero, which would end everything in use. Without the key a limit is off.
const ENDS_ALL: &str = "0 would end every instance; leave it out for no limit";
const NO_ROOM: &str = "0 leaves no room for a record, and without a record nothing is ended";

/// Reads the text of a configuration. `file` is its name, for messages about it.
///
/// # Errors
/// On the first mistake, with its place.
pub(super) fn parse(file: &Path, text: &str, around: &Surroundings) -> Result<Loaded, ConfigError> {
    let source = Source { file, text };
    let document = DeTable::parse(text)
        .map_err(|error| source.mistake(error.span().unwrap_or(0..0), String::new(), error.message(), ""))?;
    let mut top = Section::new(source, "", document.get_ref(), 0..0);
    let mut policy = Policy::default();
    let mut retention = Retention::default();

    if let Some(section) = top.section("reap")? {
        reap(section, &mut policy)?;
    }
    if let Some(section) = top.section("limits")? {
        policy.limits = limits(section)?;
    }
    for section in top.sections("allow")? {
        policy.allow.push(allow(section, around)?);
    }
    for section in top.sections("server")? {
        policy.servers.push(server(section)?);
    }
    for section in top.sections("expect")? {
        policy.expect.push(expect(section)?);
    }
    if let Some(mut section) = top.section("exec")? {
        set(&mut policy.linger, section.parsed("linger", DURATION, at_most(MAX_LINGER))?);
        section.finish()?;
    }
    if let Some(mut section) = top.section("audit")? {
        set(&mut retention.keep_days, section.number("keep_days", 1..=MAX_KEEP_DAYS)?);
        set(&mut retention.max_size, section.size("max_size", NO_ROOM)?);
        section.finish()?;
    }
    top.finish()?;
    let lines = lines(source, document.get_ref());
    Ok(Loaded { policy, retention, origin: Some(file.to_owned()), lines })
}

/// The line, from 1, of each key of each section, such as `reap.grace`. Entries of lists (`[[allow]]`) are not
/// included.
fn lines(source: Source<'_>, document: &DeTable<'_>) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for (section, value) in document {
        for key in value.get_ref().as_table().into_iter().flat_map(|table| table.keys()) {
            let line = source.line_of(key.span().start);
            found.insert(format!("{}.{}", section.get_ref(), key.get_ref()), line);
        }
    }
    found
}

/// Replaces a default by the value in the file, if there is one.
fn set<T>(setting: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *setting = given;
    }
}

fn at_most(most: Duration) -> impl Fn(&str) -> Result<Duration, String> {
    move |text| match parse_duration(text) {
        Ok(duration) if duration > most => Err(format!("at most {} is taken", show_duration(most))),
        Ok(duration) => Ok(duration),
        Err(error) => Err(error.to_string()),
    }
}

fn reap(mut section: Section<'_>, policy: &mut Policy) -> Result<(), ConfigError> {
    set(&mut policy.grace, section.parsed("grace", DURATION, at_most(MAX_GRACE))?);
    set(&mut policy.min_age, section.parsed("min_age", DURATION, parse_duration)?);
    set(&mut policy.confirm_after, section.parsed("confirm_after", DURATION, at_most(MAX_CONFIRM_AFTER))?);
    set(&mut policy.settle, section.parsed("settle", DURATION, at_most(MAX_SETTLE))?);
    set(&mut policy.detached, section.switch("detached")?);
    set(&mut policy.clients, section.switch("clients")?);
    section.finish()
}

fn limits(mut section: Section<'_>) -> Result<Limits, ConfigError> {
    let limits = Limits {
        max_count: section.number("max_count", 1..=i64::from(u32::MAX))?,
        count_per: section.parsed("count_per", "\"client\" or \"user\"", |text| match text {
            "client" => Ok(CountPer::Client),
            "user" => Ok(CountPer::User),
            other => Err(format!("`{other}` is neither \"client\" nor \"user\"")),
        })?,
        max_age: section.parsed("max_age", DURATION, |text| match parse_duration(text) {
            Ok(Duration::ZERO) => Err(ENDS_ALL.to_owned()),
            parsed => parsed.map_err(|error| error.to_string()),
        })?,
        max_rss: section.size("max_rss", ENDS_ALL)?,
    };
    section.finish()?;
    Ok(limits)
}

fn allow(mut section: Section<'_>, around: &Surroundings) -> Result<AllowRule, ConfigError> {
    let rule = AllowRule {
        name: section.parsed("name", PATTERN, Pattern::parse)?,
        command: section.parsed("command", PATTERN, Pattern::parse)?,
        exe: section.parsed("exe", PATTERN, |text| exe(text, around))?,
        cwd: section.parsed("cwd", PATTERN, |text| cwd(text, around))?,
        unit: section.parsed("unit", PATTERN, Pattern::parse)?,
        label: section.parsed("label", PATTERN, Pattern::parse)?,
        port: section.number("port", 1..=65535)?,
        pid_file: section.parsed("pid_file", "the path of a pid file", |text| pidfile::read(text, around))?,
        reason: section.parsed("reason", "a text", |text| Ok::<_, String>(text.to_owned()))?,
        origin: section.origin(),
    };
    // Unknown keys are reported first, so that for `nmae = "x"` the message names the misspelt key.
    section.finish()?;
    if rule.has_condition() {
        return Ok(rule);
    }
    Err(section.mistake_here(
        "this [[allow]] entry names nothing: it needs at least one of name, command, exe, port, pid_file, unit, label, cwd",
    ))
}

/// A pattern of an executable's path. A pattern that ends in a slash is refused, because it would match neither a file
/// nor the files below a folder.
fn exe(text: &str, around: &Surroundings) -> Result<Pattern, String> {
    let path = path(text, around)?;
    if path.ends_with('/') && !path.starts_with("re:") {
        return Err(format!(
            "`{text}` is no program: write its whole path, or `{text}*` for all below this folder"
        ));
    }
    Pattern::parse(&path).map_err(|error| error.to_string())
}

/// A pattern of a working folder. The system shows folders without a slash at the end, so `/srv/notes/` means
/// `/srv/notes`.
fn cwd(text: &str, around: &Surroundings) -> Result<Pattern, String> {
    let path = path(text, around)?;
    let bare = match path.trim_end_matches('/') {
        _ if path.starts_with("re:") => &path,
        "" if !path.is_empty() => "/",
        bare => bare,
    };
    Pattern::parse(bare).map_err(|error| error.to_string())
}

/// A path of a rule; `~/` is the home directory. A path that no absolute path can match is refused, because the rule
/// would protect nothing.
fn path(text: &str, around: &Surroundings) -> Result<String, String> {
    let path = around.expand(text).map_err(|error| error.to_string())?;
    if path.is_empty() || path.starts_with("re:") {
        return Ok(path);
    }
    if path.starts_with(['/', '*', '?']) {
        if is_plain(text) {
            return Ok(path);
        }
        return Err(format!(
            "`{text}` matches no process, whose paths have no `.`, `..` or `//` in them: write the path without"
        ));
    }
    let below = text.strip_prefix("./").unwrap_or(text).trim_end_matches('/');
    let whole = if below.is_empty()
        || below.contains('$')
        || below.starts_with('~')
        || !is_plain(&format!("/{below}"))
    {
        "beginning with `/`, `~/` or `*/`".to_owned()
    } else {
        format!("`~/{below}` or `*/{below}`")
    };
    Err(format!("`{text}` matches no process, whose paths are absolute: write the whole path, {whole}"))
}

/// Has the path no part that the system leaves out of the paths that it shows: `.`, `..`, or nothing between two slashes?
/// What stands before its first slash is not looked at.
fn is_plain(path: &str) -> bool {
    path.trim_end_matches('/').split('/').skip(1).all(|part| !matches!(part, "" | "." | ".."))
}

fn server(mut section: Section<'_>) -> Result<ServerRule, ConfigError> {
    let name = section.parsed("name", "a text", |text| match text.trim() {
        "" => Err("empty, where the name of a server is expected"),
        name => Ok(name.to_owned()),
    })?;
    let program = section.parsed("program", PATTERN, Pattern::parse)?;
    let limits = section.section("limits")?.map(limits).transpose()?.unwrap_or_default();
    section.finish()?;
    let name = name.ok_or_else(|| section.mistake_here("this [[server]] entry has no name"))?;
    if program.is_none() && limits == Limits::default() {
        let idle = "this [[server]] entry does nothing: it needs a program, limits, or both";
        return Err(section.mistake_here(idle));
    }
    Ok(ServerRule { name, program, limits, origin: section.origin() })
}

fn expect(mut section: Section<'_>) -> Result<Expectation, ConfigError> {
    let name = section.parsed("name", PATTERN, |text| {
        Pattern::parse(text).map(|pattern| (text.to_owned(), pattern)).map_err(|error| error.to_string())
    })?;
    let min = section.number("min", 0..=i64::from(u32::MAX))?;
    let max: Option<u32> = section.number("max", 0..=i64::from(u32::MAX))?;
    // An entry with only `max = 0` means that none should run. An entry with neither key means that one should.
    let min = min.unwrap_or(u32::from(max.is_none_or(|max| max > 0)));
    section.finish()?;
    let (name, pattern) = name.ok_or_else(|| section.mistake_here("this [[expect]] entry has no name"))?;
    if max.is_some_and(|max| max < min) {
        return Err(section.mistake_here(format!("min is {min}, more than max allows")));
    }
    Ok(Expectation { name, pattern, min, max, origin: section.origin() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_way_to_write_a_key_has_its_line() {
        let text = "limits.max_count = 2\n\n[reap] # so\ngrace = \"1s\"\n\"min_age\" = \"2s\"\n[[allow]]\nname = \"x\"\n";
        let loaded = parse(Path::new("/c.toml"), text, &Surroundings::current()).unwrap();
        let expected = [("limits.max_count", 1), ("reap.grace", 4), ("reap.min_age", 5)];
        assert_eq!(
            loaded.lines.into_iter().collect::<Vec<_>>(),
            expected.map(|(key, line)| (key.to_owned(), line))
        );
    }
}
