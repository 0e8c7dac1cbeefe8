# tests/packages/formula.rb FORMULA BIN ARCHIVE: plays the formula's own test against the binary in BIN, with as much of
# Homebrew as it takes, and compares url and checksum with the archive.
require "digest"
require "json"
require "pathname"
require "tmpdir"

formula, bin, archive = ARGV

class Formula
  class << self
    attr_reader :facts, :play

    %i[desc homepage url sha256 license head depends_on].each do |name|
      define_method(name) { |*values, **more| (@facts ||= {})[name] = values.first || more }
    end

    def test(&block) = @play = block
  end

  attr_reader :bin, :testpath, :version

  def initialize(bin, testpath, version)
    @bin = Pathname(bin)
    @testpath = Pathname(testpath)
    @version = version
  end

  def shell_output(command)
    said = `#{command}`
    raise "#{command}: #{$?}" unless $?.success?
    said
  end

  def assert_equal(expected, actual)
    raise "expected #{expected.inspect}, not #{actual.inspect}" unless expected == actual
  end
end

load formula
facts = McpReap.facts
raise "desc is longer than Homebrew allows" if "mcp-reap: #{facts[:desc]}".length > 80
raise "the url is of another archive" unless facts[:url].end_with?("/#{File.basename(archive)}")
raise "the checksum is of another archive" unless facts[:sha256] == Digest::SHA256.file(archive).hexdigest

version = File.basename(archive, ".tar.gz").delete_prefix("mcp-reap-")
Dir.mktmpdir do |dir|
  one = McpReap.new(bin, dir, version)
  one.instance_exec(&McpReap.play)
  raise "no caveats" unless one.caveats.include?("mcp-reap schedule install")
end
