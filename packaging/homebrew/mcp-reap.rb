# A template: packaging/formula.sh puts a release's version and the checksum of its source archive in place of the
# words between two @.
class McpReap < Formula
  desc "Ends MCP servers that nobody uses any more, never one in use"
  homepage "https://github.com/mcp-reap/mcp-reap"
  url "https://github.com/mcp-reap/mcp-reap/releases/download/v@VERSION@/mcp-reap-@VERSION@.tar.gz"
  sha256 "@SHA256@"
  license any_of: ["MIT", "Apache-2.0"]
  head "https://github.com/mcp-reap/mcp-reap.git", branch: "main"

  depends_on "rust" => :build

  def install
    system "cargo", "install", *std_cargo_args
    generate_completions_from_executable(bin/"mcp-reap", "completions", shells: [:bash, :zsh, :fish])
    system bin/"mcp-reap", "man", "--folder", buildpath/"man1"
    man1.install Dir[buildpath/"man1/*.1"]
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
