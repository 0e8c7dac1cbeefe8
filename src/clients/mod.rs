//! Reads the configurations of the person's MCP clients: the servers that they start, and how.
//!
//! A process whose argv equals an entry is identified as a server, also without "mcp" in its name. Entries only support
//! an identification: a file may have changed since the process started, and a process without an entry may still be a
//! server.
//!
//! Only placeholders that are known without the client's environment are filled in: `~`, `$HOME`, `${HOME}`,
//! `${env:HOME}`, `${userHome}`, and for plugins and extensions their folder (`${CLAUDE_PLUGIN_ROOT}`,
//! `${extensionPath}`, `${__dirname}`). Some clients do not fill in the home in arguments, and the process then shows
//! `~/x`. So an entry whose arguments name the home is listed a second time with the arguments as they are written.
//!
//! ```
//! use mcp_reap::clients::{Os, Places, Transport, read};
//! # let home = tempfile::tempdir().expect("a folder");
//! # std::fs::create_dir(home.path().join(".cursor")).expect("made");
//! std::fs::write(
//!     home.path().join(".cursor/mcp.json"),
//!     r#"{"mcpServers": {"notes": {"command": "bun", "args": ["server.ts"]}}} // mine"#,
//! )
//! .expect("written");
//! let found = read(&Places::new(home.path(), Os::Linux));
//! assert_eq!(found.servers[0].client, "cursor");
//! let Transport::Stdio { argv } = &found.servers[0].transport else { panic!("remote") };
//! assert_eq!(argv, &["bun", "server.ts"]);
//! ```

mod entry;
mod expand;
mod file;
mod found;
mod locate;
mod places;
mod sessions;
mod shapes;
mod syntax;
pub(crate) mod wrap;
mod yaml;

pub use found::{ConfiguredServer, Findings, Scope, Transport, Trouble, Warning};
pub use locate::{Location, locations};
pub use places::{Os, Places};
pub use sessions::conversation;

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use locate::{ClientFile, FileKind, PLUGIN, TABLE};
use shapes::{Listed, Listing, Shape};
use syntax::Syntax;

use crate::os;

/// The largest `.claude.json` in bytes. It contains history, and may contain pasted pictures.
const LARGE: u64 = 32 << 20;
/// The largest of all other files in bytes. They are written by hand, or could be.
const USUAL: u64 = 4 << 20;
/// The most projects that are read.
const MAX_PROJECTS: usize = 1_000;

/// Reads all configurations. A missing file is normal, and one that cannot be read is a warning.
pub fn read(places: &Places) -> Findings {
    let mut reader =
        Reader { places, found: Findings::default(), done: HashSet::new(), remembered: Vec::new() };
    for row in TABLE.iter().filter(|row| row.kind != FileKind::Project) {
        for folder in row.base.folders(places) {
            reader.row(row, &folder);
        }
    }
    for project in reader.projects() {
        for row in TABLE.iter().filter(|row| row.kind == FileKind::Project) {
            reader.row(row, &project);
        }
    }
    reader.found
}

struct Reader<'a> {
    places: &'a Places,
    found: Findings,
    /// The files that were read already. The home may be a project too.
    done: HashSet<(&'static str, PathBuf)>,
    /// Projects that clients remember, each with the file that names it.
    remembered: Vec<(PathBuf, PathBuf)>,
}

impl Reader<'_> {
    /// The projects that exist: first those in [`Places`], then those that clients remember.
    fn projects(&mut self) -> Vec<PathBuf> {
        let mut seen = HashSet::new();
        let named = self.places.projects.iter().filter(|project| seen.insert((*project).clone()));
        let mut projects: Vec<PathBuf> =
            named.filter(|project| !self.places.would_ask(project)).cloned().collect();
        for (project, file) in std::mem::take(&mut self.remembered) {
            if projects.len() >= MAX_PROJECTS {
                self.warn(&file, None, Trouble::TooMany { limit: MAX_PROJECTS });
                break;
            }
            // A project that does not exist is left out once here, and not for each client below.
            if project.is_absolute()
                && seen.insert(project.clone())
                && !self.places.would_ask(&project)
                && project.is_dir()
            {
                projects.push(project);
            }
        }
        projects
    }

    /// Reads the files of a row of the table below one folder.
    fn row(&mut self, row: &ClientFile, base: &Path) {
        for file in file::matching(base, row.path, &mut self.found.warnings) {
            if !self.done.insert((row.client, file.clone())) {
                continue;
            }
            let scope = row.kind.scope(base, &file);
            // Only one step: a file that was named by another file names no further ones.
            for name in self.file(row, &scope, &file, row.shape) {
                if let Some(other) = plugin_file(&scope, &name) {
                    self.file(row, &scope, &other, PLUGIN);
                }
            }
        }
    }

    /// Reads one file. Notes its servers and projects, and returns the names of other files in it.
    fn file(&mut self, row: &ClientFile, scope: &Scope, path: &Path, shape: &Shape) -> Vec<String> {
        let syntax = Syntax::of(&path.to_string_lossy());
        let limit = if syntax == Syntax::Json { LARGE } else { USUAL };
        let listing = match os::file::read(path, limit).map_err(Trouble::from) {
            Ok(None) => return Vec::new(),
            Ok(Some(bytes)) => syntax.list(&bytes, shape, self.places.os),
            Err(trouble) => Err((None, trouble)),
        };
        let Listing { servers, projects, elsewhere } = listing.unwrap_or_else(|(line, trouble)| {
            self.warn(path, line, trouble);
            Listing::default()
        });
        for listed in servers {
            self.server(row, scope, path, listed);
        }
        self.remembered.extend(projects.into_iter().map(|project| (project.into(), path.to_path_buf())));
        elsewhere
    }

    fn server(&mut self, row: &ClientFile, scope: &Scope, file: &Path, listed: Listed) {
        let Listed { project, name, entry } = listed;
        let scope = match project {
            Some(project) => Scope::Local { project: PathBuf::from(project) },
            None => scope.clone(),
        };
        let folder = match &scope {
            Scope::Plugin { folder } | Scope::Extension { folder } => Some(folder.as_path()),
            _ => None,
        };
        let name = match folder.and_then(Path::file_name) {
            Some(own) if name.is_empty() => own.to_string_lossy().into_owned(),
            _ => name,
        };
        let mut transports = Vec::new();
        for argv in &entry.argvs {
            let written: Vec<String> = match folder {
                Some(folder) => argv.iter().map(|word| expand::folder(word, folder)).collect(),
                None => argv.clone(),
            };
            let filled: Vec<String> =
                written.iter().map(|word| expand::home(word, &self.places.home)).collect();
            let literal = (filled[1..] != written[1..]).then(|| {
                let program = filled[..1].iter();
                program.chain(&written[1..]).cloned().collect::<Vec<_>>()
            });
            transports.push(Transport::Stdio { argv: filled });
            transports.extend(literal.map(|argv| Transport::Stdio { argv }));
        }
        if let (true, Some(url)) = (transports.is_empty(), &entry.url) {
            transports.push(Transport::Remote { host: expand::host(url) });
        }
        self.found.servers.extend(transports.into_iter().map(|transport| ConfiguredServer {
            client: row.client.to_owned(),
            scope: scope.clone(),
            file: file.to_path_buf(),
            entry: name.clone(),
            transport,
            disabled: entry.disabled,
        }));
    }

    fn warn(&mut self, file: &Path, line: Option<usize>, trouble: Trouble) {
        self.found.warnings.push(Warning { file: file.to_path_buf(), line, trouble });
    }
}

/// A file of a plugin that the plugin names; `None` if the name leads out of the plugin or to a
/// packed bundle.
fn plugin_file(scope: &Scope, name: &str) -> Option<PathBuf> {
    let Scope::Plugin { folder } = scope else { return None };
    let path = folder.join(expand::folder(name, folder));
    let inside = path.starts_with(folder) && !path.components().any(|part| part == Component::ParentDir);
    (inside && path.extension().is_some_and(|end| end == "json")).then_some(path)
}
