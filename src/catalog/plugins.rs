//! Recognises scripts of a client's plugins and extensions by their folder.

use super::data::Data;
use super::{Basis, Identification, Role};
use crate::bytes::RawText;
use crate::process::ProcessRecord;
use crate::program::{Beside, Kind, Resolution, tidy};

/// Claude Code's variable with the folder of the plugin that a server belongs to.
const ROOT: &str = "CLAUDE_PLUGIN_ROOT";

/// A script below a client's plugin folder, as a server or its launcher. A relative path is relative to the working
/// folder, if that was read. It identifies only a process on a wire, which the caller checks.
pub(super) fn script(data: &Data, record: &ProcessRecord, seen: &Resolution) -> Option<Identification> {
    let program = seen.program.as_ref().filter(|program| program.kind == Kind::Script)?;
    let alone = seen.line.len() < 2 && seen.line.iter().all(|command| command.beside == Beside::Nothing);
    // The daemon of a plugin is meant to outlive its sessions.
    let stays = program.args.iter().any(|arg| matches!(arg.as_str(), "--daemon" | "daemon"));
    if !alone || stays {
        return None;
    }
    let path = match record.details.cwd.as_ref().map(RawText::to_text) {
        _ if program.text.starts_with('/') => program.text.clone(),
        Some(cwd) => tidy(&format!("{cwd}/{}", program.text)),
        None => return None,
    };
    let name = plugin(data, &path).or_else(|| {
        let root = record.env_var(ROOT).filter(|root| is_a_plugin_s(root))?.to_owned();
        let inside = path.strip_prefix(root.trim_end_matches('/'))?;
        inside.starts_with('/').then(|| plugin(data, &format!("{root}/x")).unwrap_or_else(|| last(&root)))
    })?;
    if data.plugins.except.iter().any(|part| path.contains(part)) || data.is_batch(&program.args) {
        return None;
    }
    Some(Identification {
        role: if seen.is_launched() { Role::Launcher } else { Role::Server },
        name: name.clone(),
        basis: Basis::Plugin { plugin: name, script: path },
    })
}

/// The plugin of a path: `.../plugins/cache/<marketplace>/<plugin>/<version>/...`,
/// `.../plugins/marketplaces/<marketplace>/plugins/<plugin>/...`, `.../extensions/<name>/...`.
fn plugin(data: &Data, path: &str) -> Option<String> {
    let (folder, inside) =
        data.plugins.folders.iter().find_map(|folder| Some((*folder, path.split_once(folder)?.1)))?;
    let mut parts = inside.split('/').filter(|part| !matches!(*part, "plugins" | "external_plugins"));
    let market = folder.ends_with("/cache/") || folder.ends_with("/marketplaces/");
    let name = parts.nth(usize::from(market))?;
    // A file directly in the folder belongs to no plugin.
    parts.next().map(|_| name.to_owned())
}

/// Can this folder be that of one plugin? `/`, `/opt` and a person's home cannot.
fn is_a_plugin_s(root: &str) -> bool {
    let root = tidy(root);
    let mut parts = root.split('/').filter(|part| !part.is_empty());
    let home = matches!(parts.next(), None | Some("home" | "Users"));
    root.starts_with('/') && parts.nth(usize::from(home)).is_some()
}

fn last(root: &str) -> String {
    root.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::Catalog;
    use super::*;
    use crate::process::{Pid, StartTime, Stdio, StdioKind};

    const CACHE: &str = "/home/u/.claude/plugins/cache/market/notes/1.0.0";

    fn record(line: &str, cwd: &str, root: &str) -> ProcessRecord {
        let mut record = ProcessRecord::new(Pid(7), StartTime(1));
        record.argv = Some(
            line.split(' ').map(|word| word.replace("CACHE", CACHE)).collect::<Vec<_>>().iter().collect(),
        );
        record.details.cwd = (!cwd.is_empty()).then(|| cwd.replace("CACHE", CACHE).into());
        record.details.stdio = Some(Stdio::of_kind(StdioKind::Socket));
        record.details.env = (!root.is_empty())
            .then(|| [(ROOT.to_owned(), root.replace("CACHE", CACHE))].into_iter().collect());
        record
    }

    fn identified(line: &str, cwd: &str, root: &str) -> Option<(Role, String)> {
        let found = Catalog::builtin().identify(&record(line, cwd, root))?;
        matches!(found.basis, Basis::Plugin { .. }).then_some((found.role, found.name))
    }

    #[test]
    fn a_script_below_a_plugin_folder_is_the_plugin_s_server() {
        for (line, cwd, root, role, name) in [
            ("node CACHE/dist/main.js", "", "", Role::Server, "notes"),
            ("bun CACHE/scripts/serve.ts --port 1", "", "", Role::Server, "notes"),
            ("python3 scripts/serve.py", "CACHE", "", Role::Server, "notes"),
            ("python3 ../scripts/serve.py", "CACHE/lib", "", Role::Server, "notes"),
            ("bash CACHE/start.sh", "", "", Role::Server, "notes"),
            ("sh -c exec~node~CACHE/x.js", "", "", Role::Launcher, "notes"),
            (
                "node /home/u/src/notes-plugin/x.js",
                "",
                "/home/u/src/notes-plugin",
                Role::Server,
                "notes-plugin",
            ),
            ("node /opt/notes-plugin/x.js", "", "/opt/notes-plugin", Role::Server, "notes-plugin"),
            ("node /home/u/.gemini/extensions/notes/x.js", "", "", Role::Server, "notes"),
            ("node /h/.claude/plugins/marketplaces/m/plugins/notes/x.js", "", "", Role::Server, "notes"),
        ] {
            let line = line.replace('~', "\u{a0}");
            let words: Vec<String> =
                line.split(' ').map(|word| word.replace('\u{a0}', " ").replace("CACHE", CACHE)).collect();
            let mut seen = record("x", cwd, root);
            seen.argv = Some(words.iter().collect());
            let found = Catalog::builtin().identify(&seen).unwrap();
            let role = if line.starts_with("bash") { Role::Launcher } else { role };
            assert_eq!((found.role, found.name.as_str()), (role, name), "{line}");
        }
    }

    #[test]
    fn what_is_not_read_and_what_runs_for_a_moment_is_none() {
        for (line, cwd, root) in [
            ("python3 scripts/serve.py", "", ""),
            ("python3 scripts/serve.py", "/home/u/shop", ""),
            ("python3 ../../../serve.py", "CACHE", "CACHE"),
            ("node /home/u/src/notes-plugin-2/x.js", "", "/home/u/src/notes-plugin"),
            ("node CACHE/hooks/stop.js", "", ""),
            ("node CACHE/x.js --daemon", "", ""),
            ("node CACHE/x.js ingest", "", ""),
            ("vim CACHE/x.js", "", ""),
            // Roots that hold everything.
            ("node /home/u/x.js", "", "/"),
            ("node /opt/shop/x.js", "", "/opt"),
            ("node /opt/shop/x.js", "", "/opt/.//"),
            ("node /home/u/x.js", "", "/home/u/"),
            ("node /home/u/x.js", "", "home/u/shop"),
            ("node /home/u/.claude/plugins/cache/x.js", "", ""),
            ("node /home/u/x.js CACHE/x.js", "", ""),
        ] {
            assert_eq!(identified(line, cwd, root), None, "{line} in {cwd}");
        }
    }
}
