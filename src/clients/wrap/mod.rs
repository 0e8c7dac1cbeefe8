//! Puts `mcp-reap exec --` in front of configured servers. This is shown for all, and written on request for one.
//!
//! Only the person's own entries for all projects are written, and only if they are understood completely. The old
//! command becomes the first argument after `exec --`. No other byte of the file changes, so `env`, `cwd`, `type` and
//! placeholders stay. An entry with `exec` is recognised by its content, so `exec` is also removed if a person wrote it
//! by hand.

mod file;
mod located;
mod policy;
mod refusal;
mod words;

use std::path::{Path, PathBuf};

pub(crate) use refusal::Refusal;

use super::found::{ConfiguredServer, Findings, Scope, Transport};
use super::places::Places;
use crate::os::stable_path::Settled;
use file::ConfigFile;
pub(crate) use file::WrapChange;
use words::{goes_through_exec, old_command};

/// One configured server with and without `exec`.
#[derive(Debug)]
pub(crate) struct Offer<'f> {
    /// The entry.
    pub(crate) server: &'f ConfiguredServer,
    /// Command and arguments as they are written. They may contain secrets.
    pub(crate) before: Vec<String>,
    /// Command and arguments with `exec`; `None` if they would not start the same server, or that is not known.
    pub(crate) after: Option<Vec<String>>,
    /// The `mcp-reap` that is already in front of it.
    pub(crate) wrapped: Option<String>,
    /// Whether the entry has only a command, arguments and a type. Then the client's own command can write it, too.
    pub(crate) bare: bool,
    /// Why `install` would not write it.
    pub(crate) refusal: Option<Refusal>,
}

/// The pid of a running process of a client, by the name that the process table has for it.
pub(crate) type IsRunning<'a> = &'a dyn Fn(&str) -> Option<u32>;

/// The program that an argv starts through `exec`; `None` for every other argv.
pub(crate) fn program_of(argv: &[String]) -> Option<&str> {
    old_command(argv).and_then(|_| argv.first()).map(String::as_str)
}

/// Every configured server that this machine would start, with and without `exec`.
pub(crate) fn offers<'f>(
    places: &Places,
    found: &'f Findings,
    program: &Settled,
    running: IsRunning<'_>,
) -> Vec<Offer<'f>> {
    each(found).into_iter().filter_map(|server| offer(places, server, program, running)).collect()
}

fn offer<'f>(
    places: &Places,
    server: &'f ConfiguredServer,
    program: &Settled,
    running: IsRunning<'_>,
) -> Option<Offer<'f>> {
    let Transport::Stdio { argv } = &server.transport else { return None };
    let file = ConfigFile::open(&server.file);
    let entry = file.as_ref().ok().and_then(|file| file.entry(server).ok());
    let (before, bare) = entry.map_or_else(|| (argv.clone(), false), |(entry, bare)| (entry.line(), bare));
    let wrapped = goes_through_exec(&before).then(|| before[0].clone());
    let refusal = may_install(places, server, program, running).err();
    let after = match &wrapped {
        Some(_) => Some(before.clone()),
        None if refusal.as_ref().is_some_and(Refusal::is_of_the_entry) => None,
        None if is_one_program(&before[0]).is_err() => None,
        None => Some([own_words(program).as_slice(), &before].concat()),
    };
    Some(Offer { server, before, after, wrapped, bare, refusal })
}

/// The words that are put in front of a command.
fn own_words(program: &Settled) -> [String; 3] {
    [program.path.to_string_lossy().into_owned(), "exec".to_owned(), "--".to_owned()]
}

/// Puts one server under `exec`.
///
/// # Errors
/// See [`Refusal`]; nothing was changed then.
pub(crate) fn install(
    places: &Places,
    found: &Findings,
    (client, name): (&str, &str),
    program: &Settled,
    running: IsRunning<'_>,
) -> Result<WrapChange, Refusal> {
    let server = one(found, client, name)?;
    let file = may_install(places, server, program, running)?;
    let (entry, _) = file.entry(server)?;
    if goes_through_exec(&entry.line()) {
        return Ok(file.done(server, false));
    }
    let own = own_words(program);
    let text = entry.wrapped(&own[0]);
    file.check(server, &text, |line| *line == [own.as_slice(), &entry.line()].concat())?;
    let first = !each(found).iter().any(|other| other.file == server.file && is_ours(other));
    file.back_up(first)?;
    file.write(&text)?;
    Ok(file.done(server, true))
}

/// Removes `exec` from all entries for all projects that have it, or only from those with this client and name. Also
/// returns the entries that had to stay as they are, each with the reason.
pub(crate) fn uninstall(
    found: &Findings,
    client: Option<&str>,
    name: Option<&str>,
    running: IsRunning<'_>,
) -> Vec<(ConfiguredServer, Result<WrapChange, Refusal>)> {
    let asked = |server: &&ConfiguredServer| {
        client.is_none_or(|client| server.client == client) && name.is_none_or(|name| server.entry == name)
    };
    let servers = each(found).into_iter().filter(asked).filter(|server| is_ours(server));
    servers.map(|server| (server.clone(), take_out(server, running))).collect()
}

fn take_out(server: &ConfiguredServer, running: IsRunning<'_>) -> Result<WrapChange, Refusal> {
    is_the_persons(server)?;
    is_not_running(server, running)?;
    let file = ConfigFile::open(&server.file)?;
    let (entry, _) = file.entry(server)?;
    let Some(text) = entry.unwrapped(file.had_args(server))? else { return Err(Refusal::ByHand) };
    let line = entry.line();
    let old = old_command(&line).unwrap_or_default();
    file.check(server, &text, |now| *now == line[old..])?;
    file.write(&text)?;
    file.drop_backup(&text)?;
    Ok(file.done(server, true))
}

/// The files that could not be read and contain `mcp-reap` and `exec`, so that they may have an entry with `exec`.
pub(crate) fn unread(found: &Findings) -> Vec<(PathBuf, String)> {
    let says = |file: &Path| {
        let bytes = crate::os::own_file::read(file, crate::clients::LARGE).ok().flatten()?.bytes;
        let has = |word: &[u8]| bytes.windows(word.len()).any(|at| at == word);
        Some(has(b"mcp-reap") && has(b"exec"))
    };
    let ours = found.warnings.iter().filter(|warning| says(&warning.file) == Some(true));
    ours.map(|warning| (warning.file.clone(), warning.to_string())).collect()
}

fn is_ours(server: &ConfiguredServer) -> bool {
    match &server.transport {
        Transport::Stdio { argv } => goes_through_exec(argv),
        Transport::Remote { .. } => false,
    }
}

/// Each entry once. (One with the home in its arguments is listed twice.)
fn each(found: &Findings) -> Vec<&ConfiguredServer> {
    let mut each: Vec<&ConfiguredServer> = Vec::new();
    for server in &found.servers {
        let same = |other: &&ConfiguredServer| {
            (&other.client, &other.file, &other.entry, &other.scope)
                == (&server.client, &server.file, &server.entry, &server.scope)
        };
        if !each.iter().any(same) {
            each.push(server);
        }
    }
    each
}

/// The entry with this name. One for all projects is preferred.
fn one<'f>(found: &'f Findings, client: &str, name: &str) -> Result<&'f ConfiguredServer, Refusal> {
    let of_client: Vec<_> = each(found).into_iter().filter(|server| server.client == client).collect();
    let named: Vec<_> = of_client.iter().filter(|server| server.entry == name).copied().collect();
    let own: Vec<_> = named.iter().filter(|server| server.scope == Scope::User).copied().collect();
    match (own.as_slice(), named.as_slice()) {
        ([one], _) | ([], [one, ..]) => Ok(one),
        ([], []) => {
            let mut there: Vec<String> = of_client.iter().map(|server| server.entry.clone()).collect();
            there.dedup();
            Err(Refusal::NoSuchEntry { client: client.to_owned(), name: name.to_owned(), there })
        }
        (several, _) => Err(Refusal::Twice(several.iter().map(|server| server.file.clone()).collect())),
    }
}

fn is_the_persons(server: &ConfiguredServer) -> Result<(), Refusal> {
    match server.scope {
        Scope::User => Ok(()),
        Scope::Local { .. } | Scope::Project { .. } => Err(Refusal::Project),
        Scope::Plugin { .. } | Scope::Extension { .. } => Err(Refusal::Plugin),
        Scope::Managed => Err(Refusal::Managed),
    }
}

fn is_not_running(server: &ConfiguredServer, running: IsRunning<'_>) -> Result<(), Refusal> {
    let mut writers = policy::writers(&server.client).into_iter();
    match writers.find_map(|writer| Some((writer, running(writer)?))) {
        Some((writer, pid)) => Err(Refusal::Running { client: writer.to_owned(), pid }),
        None => Ok(()),
    }
}

/// Checks everything that forbids writing an entry: first its own properties, last what is only temporary.
fn may_install(
    places: &Places,
    server: &ConfiguredServer,
    program: &Settled,
    running: IsRunning<'_>,
) -> Result<ConfigFile, Refusal> {
    is_the_persons(server)?;
    let Transport::Stdio { argv } = &server.transport else { return Err(Refusal::Remote) };
    let file = ConfigFile::open(&server.file);
    match &file {
        Ok(file) => {
            let line = file.entry(server)?.0.line();
            if !goes_through_exec(&line) {
                is_one_program(&line[0])?;
            }
        }
        // YAML, which is read and not edited.
        Err(_) => is_one_program(&argv[0])?,
    }
    policy::approval(&server.client)?;
    policy::check(&server.client, places)?;
    let file = file?;
    own_path(program)?;
    is_not_running(server, running)?;
    Ok(file)
}

/// Would `exec` start what the client starts? A command that only the client understands is left alone.
fn is_one_program(command: &str) -> Result<(), Refusal> {
    if command.contains('$') || command.contains('%') || command.starts_with('~') {
        return Err(Refusal::Placeholder);
    }
    let is_path = command.contains('/');
    if is_path && !command.starts_with('/') {
        return Err(Refusal::Relative);
    }
    if command.contains(char::is_whitespace) && !(is_path && Path::new(command).is_file()) {
        return Err(Refusal::ShellLine);
    }
    Ok(())
}

/// Checks that an entry may contain our path: it stays, it is executable, and the entry is recognised by it.
fn own_path(program: &Settled) -> Result<(), Refusal> {
    if cfg!(target_os = "macos") {
        return Err(Refusal::NoGuardian);
    }
    if let Some(why) = program.danger {
        return Err(Refusal::Vanishing { program: program.path.clone(), why });
    }
    let named =
        program.path.to_str().is_some_and(|path| path.starts_with('/') && path.ends_with("/mcp-reap"));
    if named && matches!(program.executable, Ok(true)) {
        Ok(())
    } else {
        Err(Refusal::NotExecutable(program.path.clone()))
    }
}

#[cfg(test)]
mod tests;
