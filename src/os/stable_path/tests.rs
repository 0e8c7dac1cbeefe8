#![allow(clippy::unwrap_used)]

use super::Vanishing::{BuildFolder, Misplaced, Project, Removable, Temporary, Versioned};
use super::*;

#[test]
fn a_program_that_will_be_gone_is_known_by_its_place() {
    for (path, expected) in [
        ("/usr/bin/mcp-reap", None),
        ("/usr/local/bin/mcp-reap", None),
        ("/home/u/.cargo/bin/mcp-reap", None),
        ("/home/u/.local/bin/mcp-reap", None),
        ("/home/u/.nix-profile/bin/mcp-reap", None),
        ("/opt/homebrew/bin/mcp-reap", None),
        ("/run/current-system/sw/bin/mcp-reap", None),
        ("/home/u/release/mcp-reap", None),
        ("/home/u/target/mcp-reap", None),
        ("/home/u/bin/target", None),
        ("/tmpfiles/mcp-reap", None),
        ("/home/u/src/mcp-reap/target/debug/mcp-reap", Some(BuildFolder)),
        ("/home/u/src/mcp-reap/target/aarch64-apple-darwin/release/mcp-reap", Some(BuildFolder)),
        ("/tmp/mcp-reap", Some(Temporary)),
        ("/private/var/folders/xy/T/mcp-reap", Some(Temporary)),
        ("/big/scratch/cargo-installAbC/release/mcp-reap", Some(Temporary)),
        ("/Users/u/Library/Caches/x/mcp-reap", Some(Temporary)),
        ("/Volumes/mcp-reap 0.1/mcp-reap", Some(Removable)),
        ("/Users/u/.Trash/mcp-reap", Some(Misplaced)),
        ("/nix/store/0abc-mcp-reap-0.1.0/bin/mcp-reap", Some(Versioned)),
        ("/opt/homebrew/Cellar/mcp-reap/0.1.0/bin/mcp-reap", Some(Versioned)),
        ("/home/u/.local/share/mise/installs/mcp-reap/0.1.0/bin/mcp-reap", Some(Versioned)),
        ("/home/u/.asdf/installs/rust/1.95.0/bin/mcp-reap", Some(Versioned)),
        ("/home/u/.nvm/versions/node/v22.1.0/bin/mcp-reap", Some(Versioned)),
        ("/home/u/versions/.nvm/mise/bin/mcp-reap", None),
        ("/media/stick/mcp-reap", Some(Removable)),
        ("/usr/local/Caskroom/mcp-reap/0.1.0/mcp-reap", Some(Versioned)),
        ("/home/u/target/x/y/release/mcp-reap", None),
    ] {
        let scratch = ["/big/scratch".into(), "/".into()];
        assert_eq!(vanishing(Path::new(path), &scratch), expected, "{path}");
    }
}

#[test]
fn what_a_runner_loaded_is_told_how_it_is_installed_for_good() {
    const BINARY: &str = "node_modules/@mcp-reap/linux-x64/bin/mcp-reap";
    let npx = Some(("npx", "npm install --global mcp-reap"));
    let uvx = Some(("uvx", "uv tool install mcp-reap"));
    let pipx = Some(("pipx run", "pipx install mcp-reap"));
    for (folder, file, expected) in [
        ("/home/u/.npm/_npx/0b5a6b8f2c3d4e5f", BINARY, npx),
        ("/data/npm-cache/_npx/0b5a6b8f2c3d4e5f", BINARY, npx),
        ("/home/u/.cache/uv/archive-v0/KjQ2h3XnVb8m1Z0aPq4sT", "bin/mcp-reap", uvx),
        ("/big/cache/archive-v0/KjQ2h3XnVb8m1Z0aPq4sT", "bin/mcp-reap", uvx),
        ("/home/u/.cache/uv/environments-v2/3a5f0f3fbb1c", "bin/mcp-reap", uvx),
        ("/home/u/.local/share/pipx/.cache/8d8eec4a6c9b2a1", "bin/mcp-reap", pipx),
        ("/home/u/.cache/pipx/8d8eec4a6c9b2a1", "bin/mcp-reap", pipx),
        ("/home/u/.cache/pnpm/dlx/cd7be0b1d4e8/192f-1c", BINARY, Some(("pnpm dlx", NPM))),
        ("/tmp/bunx-1000-mcp-reap@latest", BINARY, Some(("bunx", "bun add --global mcp-reap"))),
    ] {
        let found = vanishing(&Path::new(folder).join(file), &[]);
        let Some(Vanishing::Runner(runner)) = found else { panic!("{folder}: {found:?}") };
        assert_eq!(Some((runner.name, runner.install)), expected, "{folder}");
    }
}

#[test]
fn what_npm_and_uv_installed_for_good_stays_and_what_a_project_has_does_not() {
    for (path, expected) in [
        ("/usr/local/lib/node_modules/mcp-reap/node_modules/@mcp-reap/linux-x64/bin/mcp-reap", None),
        ("/home/u/.npm-global/lib/node_modules/mcp-reap/node_modules/@mcp-reap/linux-x64/bin/mcp-reap", None),
        ("/home/u/.bun/install/global/node_modules/@mcp-reap/linux-x64/bin/mcp-reap", None),
        ("/home/u/.local/share/uv/tools/mcp-reap/bin/mcp-reap", None),
        ("/home/u/.local/share/pipx/venvs/mcp-reap/bin/mcp-reap", None),
        ("/home/u/.local/lib/python3.12/site-packages/bin/mcp-reap", None),
        ("/home/u/src/site/node_modules/@mcp-reap/linux-x64/bin/mcp-reap", Some(Project)),
        ("/node_modules/@mcp-reap/linux-x64/bin/mcp-reap", Some(Project)),
        ("/home/u/.nvm/versions/node/v22.1.0/lib/node_modules/mcp-reap/bin/mcp-reap", Some(Versioned)),
        ("/home/u/.local/share/fnm/node-versions/v22.1.0/installation/lib/x/mcp-reap", Some(Versioned)),
        ("/home/u/.local/share/pnpm/global/5/.pnpm/@mcp-reap+linux-x64@0.1.0/x/mcp-reap", Some(Versioned)),
    ] {
        assert_eq!(vanishing(Path::new(path), &[]), expected, "{path}");
    }
}

#[test]
fn a_build_folder_is_known_by_its_lock() {
    let locked = |path: &Path| path == Path::new("/big/out/.cargo-lock");
    for (path, expected) in [("/big/out/mcp-reap", Some(BuildFolder)), ("/big/bin/mcp-reap", None)] {
        assert_eq!(danger(Path::new(path), &[], locked), expected);
    }
}

/// `settle` in a folder that is not temporary by its name: the tests' own is named as the only one.
fn settled(home: &Path, program: &str, folders: &[&str]) -> (PathBuf, Option<Vanishing>) {
    let folders: Vec<PathBuf> = folders.iter().map(|folder| home.join(folder)).collect();
    let settled = settle(&home.join(program), &folders, &[]);
    assert!(settled.executable.unwrap());
    (settled.path.strip_prefix(home).unwrap().to_owned(), settled.danger)
}

#[test]
fn the_name_that_stays_is_taken_and_not_the_version_behind_it() {
    // Not below a temporary folder, where nothing stays.
    let home = tempfile::TempDir::new_in(std::env::var_os("HOME").unwrap()).unwrap();
    let home = home.path().canonicalize().unwrap();
    let program = |path: &str| {
        std::fs::create_dir_all(home.join(path).parent().unwrap()).unwrap();
        std::fs::write(home.join(path), "").unwrap();
        std::fs::set_permissions(home.join(path), std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    for path in ["Cellar/1/mcp-reap", "other/mcp-reap", "target/debug/mcp-reap"] {
        program(path);
    }
    std::fs::create_dir(home.join("bin")).unwrap();
    std::os::unix::fs::symlink("../Cellar/1/mcp-reap", home.join("bin/mcp-reap")).unwrap();
    std::fs::create_dir(home.join("dev")).unwrap();
    std::os::unix::fs::symlink("../target/debug/mcp-reap", home.join("dev/mcp-reap")).unwrap();
    let all = ["Cellar/1", "other", "none", "bin"];
    for (program, folders, path, danger) in [
        ("Cellar/1/mcp-reap", &all[..], "bin/mcp-reap", None),
        ("Cellar/1/mcp-reap", &["other"], "Cellar/1/mcp-reap", Some(Versioned)),
        ("Cellar/1/mcp-reap", &[], "Cellar/1/mcp-reap", Some(Versioned)),
        // What stays is taken as it is.
        ("bin/mcp-reap", &["Cellar/1"], "bin/mcp-reap", None),
        ("other/mcp-reap", &all, "other/mcp-reap", None),
        // A build is one under every name.
        ("target/debug/mcp-reap", &["dev"], "dev/mcp-reap", Some(BuildFolder)),
        ("dev/mcp-reap", &[], "dev/mcp-reap", Some(BuildFolder)),
    ] {
        assert_eq!(settled(&home, program, folders), (path.into(), danger), "{program} {folders:?}");
    }
}

#[test]
fn what_is_not_there_is_in_danger_by_its_place_only() {
    let gone = settle(Path::new("/tmp/no-such/mcp-reap"), &[], &[]);
    assert_eq!((gone.danger, gone.executable.is_err()), (Some(Temporary), true));
    let gone = settle(Path::new("/nowhere/mcp-reap"), &["/usr/bin".into()], &[]);
    assert_eq!((gone.danger, gone.executable.is_err()), (None, true));
    assert!(!settle(Path::new("/etc/passwd"), &[], &[]).executable.unwrap());
}
