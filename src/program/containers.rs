//! Resolves docker, podman and nerdctl to the image that they run, or the command in a running container.

use super::options::{self, Grammar};
use super::resolve::Resolver;
use super::{Program, Word};
use crate::word_list::list;

/// Options of `docker run` and `podman run` that take a value, from their references
/// (docs.docker.com/reference/cli/docker/container/run, podman-run(1)). All others are flags.
const RUN: Grammar = Grammar::clustered(list!(
    "--add-host --annotation --arch --attach --authfile --blkio-weight --blkio-weight-device
    --cap-add --cap-drop --cgroup-parent --cgroupns --cidfile --conmon-pidfile --cpu-count
    --cpu-percent --cpu-period --cpu-quota --cpu-rt-period --cpu-rt-runtime --cpu-shares --cpus
    --cpuset-cpus --cpuset-mems --creds --decryption-key --detach-keys --device --device-cgroup-rule
    --device-read-bps --device-read-iops --device-write-bps --device-write-iops --dns --dns-opt
    --dns-option --dns-search --domainname --entrypoint --env --env-file --env-merge --expose
    --gidmap --gpus --group-add --group-entry --health-cmd --health-interval --health-retries
    --health-start-interval --health-start-period --health-timeout --hostname --hostuser --init-path
    --ip --ip6 --ipc --isolation --kernel-memory --label --label-file --link --link-local-ip
    --log-driver --log-opt --mac-address --memory --memory-reservation --memory-swap
    --memory-swappiness --mount --name --net --net-alias --network --network-alias --oom-score-adj
    --os --passwd-entry --pid --pidfile --pids-limit --platform --pod --pod-id-file --publish --pull
    --requires --restart --retry --rootfs-path --runtime --sdnotify --seccomp-policy --secret
    --security-opt --shm-size --stop-signal --stop-timeout --storage-opt --subgidname --subuidname
    --sysctl --systemd --timeout --tmpfs --tz --uidmap --ulimit --umask --user --userns --uts
    --variant --volume --volume-driver --volumes-from --workdir -a -c -e -h -l -m -p -u -v -w"
));
/// Options before the subcommand.
const GLOBAL: Grammar = Grammar::clustered(list!(
    "--address --config --connection --context --host --log-level --namespace --root --runroot
    --tlscacert --tlscert --tlskey --url -H -a -c -l -n"
));

impl Resolver {
    pub(super) fn container(&mut self, tool: &str, words: &[Word<'_>]) -> Option<Program> {
        let before = options::parse(words, GLOBAL);
        let (verb, rest) = before.rest.split_first()?;
        let (verb, rest) = match (&**verb, rest.split_first()) {
            ("container", Some((verb, rest))) => (verb, rest),
            _ => (verb, rest),
        };
        match &**verb {
            "run" => {
                let parsed = options::parse(rest, RUN);
                let (image, args) = parsed.rest.split_first()?;
                let program = Program::image(image, args);
                // With an entry point, or an interpreter's image, the command names the program. The image stays among
                // the names.
                let entry = parsed.value(&["--entrypoint"]);
                let command: Vec<Word<'_>> =
                    entry.map(Word::from).into_iter().chain(args.iter().cloned()).collect();
                let plain = matches!(
                    program.names.last().map(String::as_str),
                    Some("node" | "python" | "bun" | "deno" | "uv" | "npx" | "alpine")
                );
                if !plain && entry.is_none() {
                    return Some(program);
                }
                match self.resolve(&command) {
                    Some(mut inner) => {
                        inner.names.extend(program.names);
                        Some(inner)
                    }
                    // The entry point is a shell that runs nothing known.
                    None if entry.is_some() => None,
                    None => Some(program),
                }
            }
            "exec" => {
                let parsed = options::parse(rest, RUN);
                let (_container, command) = parsed.rest.split_first()?;
                self.resolve(command)
            }
            // `docker mcp gateway run`: a plugin of docker.
            "mcp" => Some(Program::binary(tool, before.rest)),
            _ => None,
        }
    }
}
