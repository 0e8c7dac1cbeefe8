//! A configuration file that may be written. It is read, checked and replaced whole, and the bytes from before are kept
//! beside it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::located::{Located, Value};
use super::refusal::Refusal;
use super::words::EntryText;
use crate::clients::found::{ConfiguredServer, Scope};
use crate::clients::locate::{FileKind, TABLE};
use crate::clients::shapes::Steps;
use crate::clients::syntax::Syntax;
use crate::os::own_file::{self, DiskError, SeenFile};

/// What was done to one file.
#[derive(Debug)]
pub(crate) struct WrapChange {
    /// The entry.
    pub(crate) server: ConfiguredServer,
    /// Whether it was changed.
    pub(crate) changed: bool,
    /// The bytes from before, if they are still kept.
    pub(crate) backup: Option<PathBuf>,
}

/// The largest file that is edited, which is the largest that is read.
const LARGEST: u64 = crate::clients::LARGE;

/// A configuration that may be written, as it was read.
#[derive(Debug)]
pub(super) struct ConfigFile {
    named: PathBuf,
    real: PathBuf,
    seen: SeenFile,
    text: String,
    tree: Located,
}

impl ConfigFile {
    pub(super) fn open(named: &Path) -> Result<ConfigFile, Refusal> {
        let disk = |why: DiskError| Refusal::Disk { file: named.to_owned(), why };
        let real = fs::canonicalize(named).map_err(|error| disk(error.into()))?;
        let seen = own_file::read(&real, LARGEST).map_err(disk)?.ok_or_else(|| disk(DiskError::Changed))?;
        let text =
            String::from_utf8(seen.bytes.clone()).map_err(|_| Refusal::NotUnicode(named.to_owned()))?;
        let tree =
            Located::parse(&text, syntax(named)).ok_or_else(|| Refusal::NotEdited(named.to_owned()))?;
        Ok(ConfigFile { named: named.to_owned(), real, seen, text, tree })
    }

    /// The entry, and whether it has nothing but a command, arguments and a type.
    pub(super) fn entry(&self, server: &ConfiguredServer) -> Result<(EntryText<'_>, bool), Refusal> {
        let entry = find(&self.tree, server)?;
        let bare = entry.members().iter().all(|member| match (&*member.key, &member.value.value) {
            ("command" | "args" | "type", _) => true,
            ("env", Value::Map(env)) => env.is_empty(),
            _ => false,
        });
        Ok((EntryText::read(&self.text, entry)?, bare))
    }

    /// Checks that the new text is valid and differs only in the command line of this entry.
    pub(super) fn check(
        &self,
        server: &ConfiguredServer,
        text: &str,
        expected: impl Fn(&Vec<String>) -> bool,
    ) -> Result<(), Refusal> {
        let tree = Located::parse(text, syntax(&self.named)).ok_or(Refusal::NotExact)?;
        let entry = EntryText::read(text, find(&tree, server)?)?;
        if !expected(&entry.line()) {
            return Err(Refusal::NotExact);
        }
        // If removing `exec` restores the old text, nothing else was changed.
        let restored = entry.unwrapped(self.had_args(server))?;
        let kept = entry.unwrapped(Some(true))?;
        match [restored, kept].into_iter().flatten().collect::<Vec<_>>() {
            taken if taken.is_empty() || taken.contains(&self.text) => Ok(()),
            _ => Err(Refusal::NotExact),
        }
    }

    fn backup_path(&self) -> PathBuf {
        let mut name = self.named.file_name().unwrap_or_default().to_owned();
        name.push(".mcp-reap-wrap-backup");
        self.named.with_file_name(name)
    }

    fn backup(&self) -> Result<Option<SeenFile>, Refusal> {
        let path = self.backup_path();
        own_file::read(&path, LARGEST).map_err(|why| Refusal::Disk { file: path, why })
    }

    /// Did the entry have a list of arguments before the first change?
    pub(super) fn had_args(&self, server: &ConfiguredServer) -> Option<bool> {
        let backup = self.backup().ok()??;
        let text = String::from_utf8(backup.bytes).ok()?;
        let tree = Located::parse(&text, syntax(&self.named))?;
        let entry = find(&tree, server).ok()?;
        let within = entry.only("command").map(|command| command.value.members()).unwrap_or_default();
        Some(entry.members().iter().chain(within).any(|member| member.key == "args"))
    }

    /// Keeps the bytes from before the first change. `first`: no entry is ours yet.
    pub(super) fn back_up(&self, first: bool) -> Result<(), Refusal> {
        let path = self.backup_path();
        let old = self.backup()?;
        if !first && old.is_some() {
            return Ok(());
        }
        own_file::replace(&path, old.as_ref(), Some(&self.seen), &self.seen.bytes)
            .map_err(|why| Refusal::Disk { file: path, why })
    }

    /// Removes the backup if the file has its bytes again.
    pub(super) fn drop_backup(&self, text: &str) -> Result<(), Refusal> {
        match self.backup()? {
            Some(backup) if backup.bytes == text.as_bytes() => {
                let path = self.backup_path();
                own_file::remove(&path, &backup).map_err(|why| Refusal::Disk { file: path, why })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn write(&self, text: &str) -> Result<(), Refusal> {
        own_file::replace(&self.real, Some(&self.seen), Some(&self.seen), text.as_bytes())
            .map_err(|why| Refusal::Disk { file: self.named.clone(), why })
    }

    pub(super) fn done(&self, server: &ConfiguredServer, changed: bool) -> WrapChange {
        let backup = self.backup_path();
        let backup = fs::symlink_metadata(&backup).is_ok().then_some(backup);
        WrapChange { server: server.clone(), changed, backup }
    }
}

fn syntax(file: &Path) -> Syntax {
    Syntax::of(&file.to_string_lossy())
}

/// Finds the entry of a server, which must occur exactly once.
fn find<'t>(tree: &'t Located, server: &ConfiguredServer) -> Result<&'t Located, Refusal> {
    let mut found: Vec<&Located> = Vec::new();
    let twice = || Refusal::Twice(vec![server.file.clone(); 2]);
    let rows = TABLE.iter().filter(|row| row.client == server.client && row.kind == FileKind::User);
    let ways: BTreeSet<Steps> = rows.flat_map(|row| row.shape.lists.iter().copied()).collect();
    for way in ways {
        let mut lists: Vec<&Located> = Vec::new();
        walk(tree, way, &server.scope, &mut lists);
        let list = match lists.as_slice() {
            [] => continue,
            [list] => list,
            // If a key occurs twice, the client decides which one counts.
            _ => return Err(twice()),
        };
        match &list.value {
            Value::Map(members) => {
                found.extend(
                    members.iter().filter(|member| member.key == server.entry).map(|member| &member.value),
                );
            }
            Value::List(elements) => {
                let name = |(at, element): &(usize, &'t Located)| {
                    let own = element.only("name").and_then(|name| name.value.text());
                    own.map_or_else(|| at.to_string(), str::to_owned)
                };
                let named = elements.iter().enumerate().filter(|element| name(element) == server.entry);
                found.extend(named.map(|(_, element)| element));
            }
            _ => {}
        }
    }
    match found.as_slice() {
        [entry] => Ok(entry),
        [] => Err(Refusal::NotPlain),
        _ => Err(twice()),
    }
}

/// The lists at the end of a path. `*` is the project of an entry for one project.
fn walk<'t>(at: &'t Located, way: Steps, scope: &Scope, lists: &mut Vec<&'t Located>) {
    let [step, rest @ ..] = way else {
        lists.push(at);
        return;
    };
    for member in at.members() {
        let here = match (scope, *step) {
            (Scope::Local { project }, "*") => project.as_os_str() == member.key.as_str(),
            (_, step) => step == member.key,
        };
        if here {
            walk(&member.value, rest, scope, lists);
        }
    }
}
