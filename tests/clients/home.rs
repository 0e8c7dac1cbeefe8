//! A home made of files, and what is found in it as short lines.

use std::fs;
use std::path::{Path, PathBuf};

use mcp_reap::clients::{ConfiguredServer, Findings, Os, Places, Scope, Transport, read};

/// A machine with one person: `root`, and in it `root/home`.
pub(crate) struct Home {
    _folder: tempfile::TempDir,
    pub(crate) places: Places,
}

impl Home {
    pub(crate) fn new(os: Os) -> Home {
        let folder = tempfile::tempdir().unwrap();
        // A temporary folder may lie behind a link, as on macOS.
        let root = folder.path().canonicalize().unwrap();
        let home = root.join("home");
        fs::create_dir(&home).unwrap();
        Home { _folder: folder, places: Places { root, ..Places::new(home, os) } }
    }

    /// A file, relative to the home; the folders above it are made.
    pub(crate) fn with(self, path: &str, content: impl AsRef<[u8]>) -> Home {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// A project to look in, relative to the home.
    pub(crate) fn project(mut self, path: &str) -> Home {
        let project = self.path(path);
        fs::create_dir_all(&project).unwrap();
        self.places.projects.push(project);
        self
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.places.home.join(path)
    }

    pub(crate) fn read(&self) -> Findings {
        read(&self.places)
    }

    /// Everything found, and that nothing was amiss.
    pub(crate) fn lines(&self) -> Vec<String> {
        let found = self.read();
        assert_eq!(found.warnings, [], "{found:?}");
        found.servers.iter().map(|server| self.line(server)).collect()
    }

    /// `client scope entry: words | of | the | argv`, with the home written as `~`.
    fn line(&self, server: &ConfiguredServer) -> String {
        let short = |path: &Path| match path.strip_prefix(&self.places.home) {
            Ok(rest) => format!("~/{}", rest.display()),
            Err(_) => path.display().to_string(),
        };
        let scope = match &server.scope {
            Scope::User => "user".to_owned(),
            Scope::Managed => "managed".to_owned(),
            Scope::Local { project } => format!("local {}", short(project)),
            Scope::Project { project } => format!("project {}", short(project)),
            Scope::Plugin { folder } => format!("plugin {}", short(folder)),
            Scope::Extension { folder } => format!("extension {}", short(folder)),
        };
        let what = match &server.transport {
            Transport::Stdio { argv } => argv.join(" | ").replace(self.places.home.to_str().unwrap(), "HOME"),
            Transport::Remote { host } => format!("at {host}"),
        };
        let off = if server.disabled { " (off)" } else { "" };
        format!("{} {scope} {}: {what}{off}", server.client, server.entry)
    }
}
