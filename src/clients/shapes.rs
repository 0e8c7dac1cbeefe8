//! Finds the list of servers in a file.
//!
//! A client's file may contain a year of history and secret keys. Only the keys that lead to a list are followed, and
//! the parser skips all others without storing their values. So 30 MB of `.claude.json` are read, but take no memory.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::entry::{Entry, Loose};
use super::places::Os;

/// The keys that lead from the top of a file to a list of servers. `*` is any key.
pub(super) type Steps = &'static [&'static str];

/// The positions of servers in a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Paths to a list, which is a map by name or a sequence of entries with names.
    pub(super) lists: &'static [Steps],
    /// The path to a single entry without a name.
    pub(super) single: Option<Steps>,
    /// Whether the top of the file is a list itself, if none of the paths above exists.
    pub(super) bare: bool,
}

/// What was found in one file.
#[derive(Default)]
pub(super) struct Listing {
    /// The entries.
    pub(super) servers: Vec<Listed>,
    /// The keys at the position of a `*`, which are project folders.
    pub(super) projects: Vec<String>,
    /// Names of other files that were found instead of a list (in plugins of Claude Code).
    pub(super) elsewhere: Vec<String>,
}

/// One entry with its project and name.
pub(super) struct Listed {
    /// The key at the position of a `*` on its path.
    pub(super) project: Option<String>,
    /// Its key, its own name, or its position.
    pub(super) name: String,
    /// The entry.
    pub(super) entry: Entry,
}

/// Walks from the top of a document into a listing.
struct Walk<'a> {
    here: Here,
    project: Option<&'a str>,
    os: Os,
    found: &'a mut Listing,
}

/// The position of the walk.
enum Here {
    /// On the way to lists and single entries. `bare`: at the top, which is a list itself if none of the paths exists.
    OnTheWay { ways: Vec<Way>, bare: bool },
    /// In a list of servers: a map by name, a sequence, or the name of a file with the list.
    InAList,
}

#[derive(Clone, Copy)]
struct Way {
    steps: Steps,
    single: bool,
}

/// What a key leads to.
enum Next {
    Nothing,
    Below(Here),
    /// A server of this name.
    Entry(String),
}

/// Finds the servers of a document.
pub(super) fn walk<'de, D: Deserializer<'de>>(
    document: D,
    shape: &Shape,
    os: Os,
) -> Result<Listing, D::Error> {
    let mut found = Listing::default();
    let lists = shape.lists.iter().map(|steps| Way { steps, single: false });
    let single = shape.single.map(|steps| Way { steps, single: true });
    let here = Here::OnTheWay { ways: lists.chain(single).collect(), bare: shape.bare };
    document.deserialize_any(Walk { here, project: None, os, found: &mut found })?;
    Ok(found)
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Here {
    /// What a key leads to, and whether it is at the position of a `*`.
    fn next(&self, key: &str) -> (Next, bool) {
        let Here::OnTheWay { ways, bare } = self else { return (Next::Entry(key.to_owned()), false) };
        let mut onward = Vec::new();
        let mut arrived = None;
        let mut wild = false;
        for way in ways {
            let [step, rest @ ..] = way.steps else { continue };
            if *step == key || *step == "*" {
                wild |= *step == "*";
                match rest {
                    [] => arrived = Some(way.single),
                    _ => onward.push(Way { steps: rest, ..*way }),
                }
            }
        }
        let next = match arrived {
            Some(true) => Next::Entry(String::new()),
            Some(false) => Next::Below(Here::InAList),
            None if !onward.is_empty() => Next::Below(Here::OnTheWay { ways: onward, bare: false }),
            None if *bare => Next::Entry(key.to_owned()),
            None => Next::Nothing,
        };
        (next, wild)
    }
}

/// A value of the wrong kind is no error, and is skipped.
impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, file: &str) -> Result<(), E> {
        if matches!(self.here, Here::InAList) {
            self.found.elsewhere.push(file.to_owned());
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        if matches!(self.here, Here::OnTheWay { .. }) {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        }
        let mut position = 0usize;
        while let Some(item) = items.next_element::<Loose>()? {
            if let Loose::Text(file) = item {
                self.found.elsewhere.push(file);
            } else {
                let name = |entry: &Entry| entry.name.clone().unwrap_or_else(|| position.to_string());
                self.found.take(self.project, Entry::read(&item, self.os), name);
            }
            position += 1;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<(), A::Error> {
        let Walk { here, os, found, .. } = self;
        while let Some(key) = pairs.next_key::<String>()? {
            let (next, wild) = here.next(&key);
            if wild {
                found.projects.push(key.clone());
            }
            let project = if wild { Some(key.as_str()) } else { self.project };
            match next {
                Next::Below(here) => pairs.next_value_seed(Walk { here, project, os, found: &mut *found })?,
                Next::Entry(name) => {
                    let entry = Entry::read(&pairs.next_value()?, os);
                    found.take(project, entry, |_| name);
                }
                Next::Nothing => {
                    pairs.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

impl Listing {
    fn take(&mut self, project: Option<&str>, entry: Option<Entry>, name: impl FnOnce(&Entry) -> String) {
        self.servers.extend(entry.map(|entry| Listed {
            project: project.map(str::to_owned),
            name: name(&entry),
            entry,
        }));
    }
}
