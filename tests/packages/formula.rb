# tests/packages/formula.rb FORMULA SUMS ARCHIVE: plays the formula on the four kinds of machines, compares urls and
# checksums with SUMS, then installs ARCHIVE by the formula's own `install` and runs its own `test`, with as much of
# Homebrew as that takes.
require "fileutils"
require "json"
require "pathname"
require "tmpdir"

formula, sums, archive = ARGV

# Where Homebrew puts things. `install` copies a file, several, or one under another name.
class Keg < Pathname
  def install(*files)
    mkpath
    files.flatten.each do |file|
      raise "nothing to install in #{self}" if file.nil?
      (file.is_a?(Hash) ? file : { file => File.basename(file) }).each { |from, to| FileUtils.cp_r(from, self/to) }
    end
  end
end

class Formula
  class << self
    attr_accessor :os, :cpu
    attr_reader :facts, :play

    %i[desc homepage version url sha256 license].each do |name|
      define_method(name) do |*values, **more|
        raise "#{name} is given twice for #{os} on #{cpu}" if (@facts ||= {}).key?(name)
        @facts[name] = values.first || more
      end
    end

    { on_macos: :os, on_linux: :os, on_arm: :cpu, on_intel: :cpu }.each do |name, kind|
      define_method(name) { |&block| block.call if Formula.public_send(kind) == name }
    end

    def test(&block) = @play = block
  end

  attr_reader :testpath, :version

  def initialize(prefix, testpath, version)
    @prefix = prefix
    @testpath = Pathname(testpath)
    @version = version
  end

  { bin: "bin", man1: "share/man/man1", doc: "share/doc/mcp-reap", bash_completion: "etc/bash_completion.d",
    zsh_completion: "share/zsh/site-functions", fish_completion: "share/fish/vendor_completions.d" }.each do |name, path|
    define_method(name) { Keg.new("#{@prefix}/#{path}") }
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

listed = File.readlines(sums, chomp: true).to_h { |line| line.split(/ [ *]/).reverse }
seen = %i[on_macos on_linux].product(%i[on_arm on_intel]).map do |os, cpu|
  Object.send(:remove_const, :McpReap) if defined?(McpReap)
  Formula.os, Formula.cpu = os, cpu
  load formula
  facts = McpReap.facts
  name = File.basename(facts[:url])
  raise "#{os} on #{cpu}: the checksum is not that of #{name}" unless facts[:sha256] == listed.fetch(name)
  raise "#{os} on #{cpu}: #{name}" unless name.include?({ on_arm: "aarch64", on_intel: "x86_64" }[cpu])
  raise "#{os} on #{cpu}: #{name}" unless name.include?({ on_macos: "darwin", on_linux: "linux-musl" }[os])
  raise "the url is of another release" unless facts[:url].include?("/download/v#{facts[:version]}/")
  name
end
raise "the same archive twice" unless seen.uniq.length == 4
facts = McpReap.facts
raise "desc is longer than Homebrew allows" if "mcp-reap: #{facts[:desc]}".length > 80

Dir.mktmpdir do |dir|
  system("tar", "-xzf", archive, "-C", dir, exception: true)
  one = McpReap.new("#{dir}/prefix", dir, facts[:version])
  # Homebrew goes into the one folder of an archive.
  Dir.chdir(Dir["#{dir}/mcp-reap-*"].fetch(0)) { one.install }
  there = Dir.chdir("#{dir}/prefix") { Dir["**/*"].select { |path| File.file?(path) } }
  %w[bin/mcp-reap share/man/man1/mcp-reap.1 etc/bash_completion.d/mcp-reap share/zsh/site-functions/_mcp-reap
     share/fish/vendor_completions.d/mcp-reap.fish share/doc/mcp-reap/README.md share/doc/mcp-reap/docs/install.md].each do |path|
    raise "#{path} is not installed" unless there.include?(path)
  end
  one.instance_exec(&McpReap.play)
  raise "no caveats" unless one.caveats.include?("mcp-reap schedule install")
end
