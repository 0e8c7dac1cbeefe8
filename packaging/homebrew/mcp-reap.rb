# A template: packaging/formula.sh puts a release's version and the checksums of its archives in place of the words
# between two @.
class McpReap < Formula
  desc "Ends MCP servers that nobody uses any more, never one in use"
  homepage "https://github.com/mcp-reap/mcp-reap"
  version "@VERSION@"
  license any_of: ["MIT", "Apache-2.0"]

  on_macos do
    on_arm do
      url "https://github.com/mcp-reap/mcp-reap/releases/download/v@VERSION@/mcp-reap-@VERSION@-aarch64-apple-darwin.tar.gz"
      sha256 "@aarch64-apple-darwin@"
    end
    on_intel do
      url "https://github.com/mcp-reap/mcp-reap/releases/download/v@VERSION@/mcp-reap-@VERSION@-x86_64-apple-darwin.tar.gz"
      sha256 "@x86_64-apple-darwin@"
    end
  end

  on_linux do
    on_arm do
      url "https://github.com/mcp-reap/mcp-reap/releases/download/v@VERSION@/mcp-reap-@VERSION@-aarch64-unknown-linux-musl.tar.gz"
      sha256 "@aarch64-unknown-linux-musl@"
    end
    on_intel do
      url "https://github.com/mcp-reap/mcp-reap/releases/download/v@VERSION@/mcp-reap-@VERSION@-x86_64-unknown-linux-musl.tar.gz"
      sha256 "@x86_64-unknown-linux-musl@"
    end
  end

  def install
    bin.install "mcp-reap"
    man1.install Dir["man/man1/*.1"]
    bash_completion.install "completions/mcp-reap.bash" => "mcp-reap"
    zsh_completion.install "completions/_mcp-reap"
    fish_completion.install "completions/mcp-reap.fish"
    doc.install "README.md", "CHANGELOG.md", "docs"
  end

  def caveats
    <<~EOS
      What it would end now:     mcp-reap --dry-run
      To run it every week:      mcp-reap schedule install
      Before `brew uninstall`:   mcp-reap schedule uninstall; mcp-reap hook uninstall
    EOS
  end

  test do
    assert_equal "mcp-reap #{version}", shell_output("#{bin}/mcp-reap --version").strip
    # A recorded table, which nothing can be ended by: a server whose client is gone, and one in use.
    (testpath/"table.json").write <<~JSON
      {"schema": 1, "os": "linux", "taken_at": "2026-01-01T12:00:00Z", "viewer": {"pid": 900, "uid": 1000},
       "processes": [
        {"pid": 1, "ppid": 0, "pgid": 1, "sid": 1, "uid": 0, "start": 1767225600.0, "state": "S", "rss": 0,
         "comm": "systemd", "exe": "/usr/lib/systemd/systemd", "argv": ["/sbin/init"]},
        {"pid": 50, "ppid": 1, "pgid": 50, "sid": 50, "uid": 1000, "start": 1767225600.0, "state": "S", "rss": 0,
         "comm": "claude", "exe": "/usr/bin/claude", "argv": ["claude"],
         "stdio": {"kind": "tty", "stdin_peers": null, "stdout_peers": null}, "listening": [], "connected": 0},
        {"pid": 60, "ppid": 50, "pgid": 50, "sid": 50, "uid": 1000, "start": 1767225600.0, "state": "S", "rss": 9000,
         "comm": "node", "exe": "/usr/bin/node", "argv": ["node", "/opt/mcp-server-memory/index.js"],
         "stdio": {"kind": "socket", "stdin_peers": [50], "stdout_peers": [50]}, "listening": [], "connected": 0},
        {"pid": 70, "ppid": 1, "pgid": 70, "sid": 70, "uid": 1000, "start": 1767225600.0, "state": "S", "rss": 9000,
         "comm": "node", "exe": "/usr/bin/node", "argv": ["node", "/opt/mcp-server-memory/index.js"],
         "stdio": {"kind": "socket", "stdin_peers": [], "stdout_peers": []}, "listening": [], "connected": 0}]}
    JSON
    said = JSON.parse(shell_output("#{bin}/mcp-reap --dry-run --json --snapshot #{testpath}/table.json"))
    assert_equal({ 60 => "in-use", 70 => "orphaned" }, said["instances"].to_h { |i| [i["root"], i["verdict"]] })
  end
end
