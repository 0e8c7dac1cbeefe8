//! Secrets as people write them into configurations of servers, and what only looks like one.
//! In each line `S3CRET` marks what must not be seen; a line without it must stay as it is.

use super::redacted;

/// Each line is an argv, its words parted by two blanks.
const SECRETS: &[&str] = &[
    "npx  some-mcp  --basic  S3CRET",
    "npx  some-mcp  --basic=S3CRET",
    "npx  some-mcp  --basic-auth  me:S3CRET",
    "npx  some-mcp  --pin  S3CRET",
    "npx  some-mcp  --pin=S3CRET",
    "npx  some-mcp  --user-pin  S3CRET",
    "npx  some-mcp  --license  S3CRET",
    "npx  some-mcp  --licence=S3CRET",
    "npx  some-mcp  --license-key  S3CRET",
    "npx  some-mcp  --totp  S3CRET",
    "npx  some-mcp  --passkey  S3CRET",
    "npx  some-mcp  --hmac  S3CRET",
    "npx  some-mcp  --salt  S3CRET",
    "npx  some-mcp  --sk  S3CRET",
    "npx  some-mcp  --apikey  S3CRET",
    "npx  some-mcp  --bearer  S3CRET",
    "npx  some-mcp  --client-secret=S3CRET",
    "npx  some-mcp  --refresh-token  S3CRET",
    "npx  some-mcp  --connection-string  Server=db;Pwd=S3CRET",
    "some.exe  /token:S3CRET",
    "some.exe  /password:S3CRET",
    "some.exe  /api-key=S3CRET",
    "npx  @smithery/cli  run  x  --env  API_KEY  S3CRET",
    "uvx  some-mcp  --env  GITHUB_TOKEN  S3CRET",
    "uvx  some-mcp  -e  API_KEY=S3CRET",
    "docker  run  -e  GITHUB_TOKEN=S3CRET  acme/notes-mcp",
    "docker  run  --env=GITHUB_TOKEN=S3CRET  acme/notes-mcp",
    "docker  run  -eGITHUB_TOKEN=S3CRET  acme/notes-mcp",
    "bwrap  --setenv  API_KEY  S3CRET  uvx  some-mcp",
    "env  API_KEY=S3CRET  uvx  some-mcp",
    "sh  -c  API_KEY=S3CRET exec uvx some-mcp",
    "sh  -c  export API_KEY='S3CRET'; uvx some-mcp",
    "launchctl  setenv  API_KEY  S3CRET",
    "npx  mcp-remote  https://h.example/sse  --header  Authorization: Bearer S3CRET",
    "npx  mcp-remote  https://h.example/sse  --header  Authorization:Bearer S3CRET",
    "npx  mcp-remote  https://h.example/sse  --header=X-Api-Key: S3CRET",
    "npx  mcp-remote  https://h.example/sse  --header  Authorization  S3CRET",
    "npx  mcp-remote  https://h.example/sse  --header  Cookie: sid=S3CRET",
    "npx  supergateway  --sse  https://h.example/sse  --oauth2Bearer  S3CRET",
    "npx  supergateway  --sse  https://h.example/sse  --header  x-auth-token: S3CRET",
    "npx  mcp-remote  https://mcp.example.com/s/Zk9xQ2m4N7pT1vR8bL3cY6/mcp  S3CRET-path",
    "npx  mcp-remote  https://h.example/mcp?apiKey=S3CRET",
    "npx  mcp-remote  https://h.example/mcp?api_key=S3CRET&profile=x",
    "npx  mcp-remote  https://h.example/mcp?profile=x&key=S3CRET",
    "npx  mcp-remote  https://h.example/mcp?access_token=S3CRET#top",
    "npx  mcp-remote  https://h.example/mcp#token=S3CRET",
    "npx  mcp-remote  https://h.example/token/S3CRET/mcp",
    "npx  mcp-remote  https://h.example/key/S3CRET/sse",
    "npx  mcp-remote  https://h.example/apikey/S3CRET",
    "npx  mcp-remote  https://me:S3CRET@h.example/mcp",
    "npx  mcp-remote  https://S3CRET@h.example/mcp",
    "npx  mcp-remote  --proxy  http://me:S3CRET@proxy:3128",
    "uvx  mcp-server-postgres  postgresql://me:S3CRET@db/notes",
    "uvx  mcp-server-mysql  --url  mysql://root:S3CRET@127.0.0.1:3306/x",
    "uvx  mcp-server-mysql  root:S3CRET@tcp(127.0.0.1:3306)/x",
    "uvx  mcp-server-x  --db  me:S3CRET@db:5432/notes",
    "uvx  mcp-server-x  redis://:S3CRET@localhost:6379/0",
    "uvx  mcp-server-x  jdbc:postgresql://h/db?user=me&password=S3CRET",
    "uvx  mcp-server-x  jdbc:oracle:thin:scott/S3CRET@//h:1521/XE",
    "uvx  mcp-server-x  sqlserver://h:1433;user=sa;password=S3CRET;database=x",
    "uvx  mcp-server-x  s3://AKEY:S3CRET@bucket/x",
    "sshpass  -p  S3CRET  ssh  h  notes-mcp",
    "sshpass  -pS3CRET  ssh  h  notes-mcp",
    "mysql  -u  root  -pS3CRET  notes",
    "redis-cli  -a  S3CRET  monitor",
    "curl  -u  me:S3CRET  https://h.example",
    "npx  some-mcp  --config  {\"apiKey\":\"S3CRET\"}",
    "npx  some-mcp  --config={\"headers\":{\"Authorization\":\"Bearer S3CRET\"}}",
    "codex  -c  mcp_servers.x.env.API_KEY=\"S3CRET\"",
    "npm exec some-mcp --pin S3CRET --port 3000",
    "npm exec some-mcp --basic S3CRET",
    "npm exec mcp-remote https://h.example/mcp?key=S3CRET --debug",
    "npx  some-mcp  -e  API_KEY  S3CRET",
    "npx  some-mcp  --dbpass  S3CRET",
    "npx  some-mcp  --secret-id  S3CRET  --role-id  x",
    "npx  some-mcp  --oauth  S3CRET",
    "npx  mcp-remote  https://h.example/token:S3CRET/sse",
    "npx  mcp-remote  https://h.example/mcp?api%5Fkey=S3CRET",
];

/// What must stay readable.
const PLAIN: &[&str] = &[
    "npx  -y  @modelcontextprotocol/server-filesystem@2025.11.25  /srv/data",
    "npx  -y  @upstash/context7-mcp@latest",
    "npx  -y  mcp-remote@0.1.29  https://mcp.linear.app/sse",
    "npx  mcp-remote  https://mcp.example.com/v1/sse?profile=work&page=2",
    "npx  mcp-remote  http://localhost:3845/mcp",
    "npx  mcp-remote  http://127.0.0.1:8080/sse  --allow-http",
    "npx  mcp-remote  https://api.githubcopilot.com/mcp/",
    "npx  mcp-remote  https://mcp.us-east-1.example.com/accounts/42/projects/notes-app/mcp",
    "npx  mcp-remote  https://docs.example.com/tokens/overview",
    "npx  mcp-remote  https://docs.example.com/key-concepts/intro",
    "node  /home/u/.npm/_npx/15b07286cbcc3329/node_modules/.bin/mcp-server-memory",
    "node  /home/u/.nvm/versions/node/v22.14.0/bin/notes-mcp",
    "node  /home/u/.vscode-server/bin/e54c774e0add60467559eb0d1e229c6452cf8447/node",
    "/home/u/.cache/uv/archive-v0/Zk9xQ2m4N7pT1vR8bL3cY/bin/python  -m  notes_mcp",
    "/nix/store/0c3i5bq1rl2gkx9k3yq8v5dmjzn7w6ha-nodejs-22.1.0/bin/node  x.js",
    "uvx  --from  git+https://github.com/o/r@v1.2.3  notes-mcp  --port=8000",
    "uvx  --from  git+https://github.com/o/r@0a1b2c3d4e5f60718293a4b5c6d7e8f901234567  notes-mcp",
    "uvx  --python  3.12  mcp-server-git  --repository  /srv/r",
    "docker  run  -i  --rm  -e  GITHUB_TOKEN  ghcr.io/github/github-mcp-server",
    "docker  run  --env  API_KEY  --env  OTHER_TOKEN  acme/notes-mcp:1.2",
    "docker  run  -v  /srv/token:/token:ro  -v  /secret:/secret  acme/notes-mcp",
    "docker  run  postgres:16@sha256:0a1b2c3d4e5f60718293a4b5c6d7e8f9012345670a1b2c3d4e5f607182939495",
    "docker  run  -p  8080:8080  --user  1000:1000  acme/notes-mcp",
    "docker  run  registry.example:5000/team/token:latest",
    "npm  install  alias@npm:react@18.2.0",
    "deno  run  npm:notes-mcp@1.2.3",
    "deno  run  jsr:@acme/notes@1",
    "git  clone  git@github.com:acme/notes.git",
    "ssh  me@h.example  notes-mcp",
    "npx  some-mcp  --env  production  --port  3000",
    "npx  some-mcp  --env  LOG_LEVEL  debug",
    "bwrap  --setenv  HOME  /home/u  --setenv  PATH  /usr/bin  uvx  some-mcp",
    "npx  some-mcp  --license-file  /etc/notes/license.txt",
    "npx  some-mcp  --max-tokens  4096  --token-limit  100",
    "npx  some-mcp  --transport  stdio  --host  127.0.0.1  --port  8080",
    "npx  some-mcp  --pinned  x  --pin-version  3  --basics  y",
    "npx  some-mcp  --header  Accept: application/json",
    "npx  some-mcp  --header  Content-Type  application/json",
    "python3  -m  notes.server  --db  /srv/550e8400-e29b-41d4-a716-446655440000.db",
    "npx  some-mcp  --seed  42  --session  main  --serial  emulator-5554",
    "java  -jar  /opt/notes/notes-mcp-server-1.0.0-SNAPSHOT.jar  --spring.profiles.active=stdio",
    "mysql  -u  root  -p  notes",
    "npx  some-mcp  -p  8080  -a  all  -t  stdio",
    "sh  -c  cd /srv/notes && exec node dist/index.js --stdio 2>>/tmp/log",
    "npm exec @modelcontextprotocol/server-filesystem /srv/data /home/u/Documents",
];

fn words(line: &str) -> Vec<&str> {
    line.split("  ").collect()
}

#[test]
fn no_secret_of_a_configuration_is_seen() {
    let seen: Vec<String> = SECRETS
        .iter()
        .map(|line| line.replace("  S3CRET-path", ""))
        .map(|line| redacted(&words(&line)).join("  "))
        .filter(|shown| shown.contains("S3CRET") || shown.contains("Zk9x"))
        .collect();
    assert!(SECRETS.len() >= 60);
    assert!(seen.is_empty(), "{seen:#?}");
}

#[test]
fn what_a_person_must_read_stays_as_it_is() {
    let changed: Vec<String> = PLAIN
        .iter()
        .filter(|line| redacted(&words(line)) != words(line))
        .map(|line| redacted(&words(line)).join("  "))
        .collect();
    assert!(PLAIN.len() >= 40);
    assert!(changed.is_empty(), "{changed:#?}");
}

#[test]
fn the_addresses_that_hosted_servers_hand_out_are_hidden_where_they_are_secret() {
    for (url, shown) in [
        (
            "https://mcp.zapier.com/api/mcp/s/Q2x9dE5vVGhpc0lzQVRlc3Q0Nw/mcp",
            "https://mcp.zapier.com/api/mcp/s/<redacted>/mcp",
        ),
        (
            "https://eu2.make.com/mcp/api/v1/u/74bf20f8-76ff-c474-c025-1908fcdce4b3/sse",
            "https://eu2.make.com/mcp/api/v1/u/<redacted>/sse",
        ),
        ("https://h.example/token/abc/mcp", "https://h.example/token/<redacted>/mcp"),
        ("https://0a1b2c3d4e5f60718293a4b5.mcp.example.com/sse", "https://<redacted>.mcp.example.com/sse"),
        ("https://mcp.us-east-1.example.com/sse", "https://mcp.us-east-1.example.com/sse"),
    ] {
        assert_eq!(redacted(&["npx", "mcp-remote", url]), ["npx", "mcp-remote", shown]);
    }
}
