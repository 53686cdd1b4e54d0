//! The languages the scanner knows, by extension, file name and interpreter.

use super::syntax::{self, Syntax};

/// How a language is recognised and counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LanguageRow {
    pub(crate) name: &'static str,
    /// Lower case, without the dot.
    pub(crate) extensions: &'static [&'static str],
    /// Whole file names, lower case.
    pub(crate) file_names: &'static [&'static str],
    /// Programs named in a `#!` line, without version digits.
    pub(crate) interpreters: &'static [&'static str],
    pub(crate) syntax: &'static Syntax,
}

const fn row(
    name: &'static str,
    extensions: &'static [&'static str],
    syntax: &'static Syntax,
) -> LanguageRow {
    LanguageRow { name, extensions, file_names: &[], interpreters: &[], syntax }
}

impl LanguageRow {
    const fn named(self, file_names: &'static [&'static str]) -> Self {
        Self { file_names, ..self }
    }

    const fn run_by(self, interpreters: &'static [&'static str]) -> Self {
        Self { interpreters, ..self }
    }
}

/// Every language; the position in the table is the language's number during a scan.
pub(crate) const LANGUAGES: &[LanguageRow] = &[
    row("Assembly", &["asm", "s"], &syntax::SEMICOLON),
    row("Batch", &["bat", "cmd"], &syntax::BATCH),
    row("C", &["c"], &syntax::C),
    row("C Header", &["h"], &syntax::C),
    row("C#", &["cs", "csx"], &syntax::CSHARP),
    row("C++", &["cc", "cpp", "cxx", "c++", "ipp", "tpp", "cu"], &syntax::CPP),
    row("C++ Header", &["hh", "hpp", "hxx", "h++", "inl", "cuh"], &syntax::CPP),
    row("CMake", &["cmake"], &syntax::CMAKE).named(&["cmakelists.txt"]),
    row("CSS", &["css"], &syntax::CSS),
    row("Clojure", &["clj", "cljs", "cljc", "edn"], &syntax::SEMICOLON),
    row("Dart", &["dart"], &syntax::NESTED_TEXT_BLOCKS),
    row("Dockerfile", &["dockerfile", "containerfile"], &syntax::HASH)
        .named(&["dockerfile", "containerfile"]),
    row("Elixir", &["ex", "exs"], &syntax::ELIXIR).run_by(&["elixir"]),
    row("Elm", &["elm"], &syntax::ELM),
    row("Emacs Lisp", &["el"], &syntax::SEMICOLON),
    row("Erlang", &["erl", "hrl"], &syntax::PERCENT).run_by(&["escript"]),
    row("F#", &["fs", "fsi", "fsx"], &syntax::FSHARP),
    row("GLSL", &["glsl", "vert", "frag", "geom", "comp"], &syntax::C),
    row("Go", &["go"], &syntax::GO),
    row("GraphQL", &["graphql", "gql"], &syntax::HASH_QUOTED),
    row("Groovy", &["groovy", "gradle"], &syntax::TEXT_BLOCKS).named(&["jenkinsfile"]).run_by(&["groovy"]),
    row("HCL", &["tf", "hcl"], &syntax::HCL),
    row("HTML", &["html", "htm", "xhtml"], &syntax::MARKUP),
    row("Haskell", &["hs", "hsc"], &syntax::HASKELL).run_by(&["runhaskell"]),
    row("INI", &["ini", "cfg"], &syntax::INI),
    row("JSON", &["json", "jsonc", "json5", "jsonl", "webmanifest"], &syntax::PLAIN),
    row("JSX", &["jsx"], &syntax::JAVASCRIPT),
    row("Java", &["java"], &syntax::TEXT_BLOCKS),
    row("JavaScript", &["js", "mjs", "cjs"], &syntax::JAVASCRIPT).run_by(&["node", "deno", "bun"]),
    row("Julia", &["jl"], &syntax::JULIA).run_by(&["julia"]),
    row("Kotlin", &["kt", "kts"], &syntax::NESTED_TEXT_BLOCKS).run_by(&["kotlin"]),
    row("Less", &["less"], &syntax::SCSS),
    row("Lua", &["lua", "luau"], &syntax::LUA).run_by(&["lua", "luajit"]),
    row("Makefile", &["mk", "mak", "makefile"], &syntax::HASH)
        .named(&["makefile", "gnumakefile"])
        .run_by(&["make"]),
    row("Markdown", &["md", "markdown", "mdx"], &syntax::PROSE),
    row("Nix", &["nix"], &syntax::NIX),
    row("OCaml", &["ml", "mli"], &syntax::OCAML).run_by(&["ocaml"]),
    row("Objective-C", &["m"], &syntax::C),
    row("Objective-C++", &["mm"], &syntax::CPP),
    row("PHP", &["php", "phtml"], &syntax::PHP).run_by(&["php"]),
    row("Perl", &["pl", "pm", "t"], &syntax::PERL).run_by(&["perl"]),
    row("Plain Text", &["txt", "text"], &syntax::PROSE),
    row("PowerShell", &["ps1", "psm1", "psd1"], &syntax::POWERSHELL).run_by(&["pwsh"]),
    row("Protocol Buffers", &["proto"], &syntax::C),
    row("Python", &["py", "pyi", "pyw"], &syntax::PYTHON).run_by(&["python", "pypy"]),
    row("R", &["r"], &syntax::HASH_QUOTED).run_by(&["rscript"]),
    row("Racket", &["rkt"], &syntax::SEMICOLON).run_by(&["racket"]),
    row("ReStructuredText", &["rst"], &syntax::PROSE),
    row("Ruby", &["rb", "rake", "gemspec", "ru"], &syntax::RUBY)
        .named(&["gemfile", "rakefile"])
        .run_by(&["ruby"]),
    row("Rust", &["rs"], &syntax::RUST),
    row("SCSS", &["scss", "sass"], &syntax::SCSS),
    row("SQL", &["sql"], &syntax::SQL),
    row("SVG", &["svg"], &syntax::MARKUP),
    row("Scala", &["scala", "sc", "sbt"], &syntax::NESTED_TEXT_BLOCKS).run_by(&["scala"]),
    row("Scheme", &["scm", "ss"], &syntax::SEMICOLON),
    row("Shell", &["sh", "bash", "zsh", "ksh", "fish"], &syntax::SHELL)
        .run_by(&["sh", "bash", "zsh", "ksh", "dash", "fish"]),
    row("Solidity", &["sol"], &syntax::C),
    row("Starlark", &["bzl", "bazel", "star"], &syntax::PYTHON).named(&["build", "workspace"]),
    row("Svelte", &["svelte"], &syntax::COMPONENT),
    row("Swift", &["swift"], &syntax::NESTED_TEXT_BLOCKS).run_by(&["swift"]),
    row("TOML", &["toml"], &syntax::TOML),
    row("TSX", &["tsx"], &syntax::JAVASCRIPT),
    row("TeX", &["tex", "sty", "cls"], &syntax::PERCENT),
    row("Thrift", &["thrift"], &syntax::C),
    row("TypeScript", &["ts", "mts", "cts"], &syntax::JAVASCRIPT),
    row("Vue", &["vue"], &syntax::COMPONENT),
    row(
        "XML",
        &["xml", "xsd", "xsl", "xslt", "plist", "csproj", "fsproj", "props", "targets"],
        &syntax::MARKUP,
    ),
    row("YAML", &["yaml", "yml"], &syntax::HASH),
    row("Zig", &["zig", "zon"], &syntax::ZIG),
];
