//! What outlines name in each language, and what they do with texts made to hang or to mislead.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::time::{Duration, Instant};

use agent_repository::symbols::{FileOutline, NotParsed, OutlineLanguage, Outliner};

fn outline(language: OutlineLanguage, text: &str) -> FileOutline {
    Outliner::new(true).outline(language, text.as_bytes(), &mut || false).unwrap()
}

/// `kind container.name line-end` for each definition.
fn named(language: OutlineLanguage, text: &str) -> Vec<String> {
    let show = |d: &agent_repository::symbols::Definition| {
        let container = d.container.as_ref().map(|name| format!("{name}.")).unwrap_or_default();
        format!("{} {container}{} {}-{}", d.kind, d.name, d.line, d.end_line)
    };
    outline(language, text).definitions.iter().map(show).collect()
}

#[test]
fn rust_names_items_and_the_methods_of_impls_and_traits() {
    let text = r##"
//! A crate.
#[derive(Debug)]
pub struct Shape<'a> { name: &'a str }
pub struct Pair(u8, u8);
enum Kind { Round, Square }
union Raw { a: u8 }
impl<'a> Shape<'a> {
    pub const SIDES: [u8; 2] = [1, 2];
    /// }
    pub fn area(&self) -> Result<(), [u8; 4]> where Self: Sized {
        let text = r#"fn fake() {"#; let c = '{';
        fn inner() {}
        Ok(())
    }
}
pub trait Draw { fn draw(&self); fn twice(&self) { self.draw() } }
impl std::fmt::Display for crate::Kind { fn fmt(&self) {} }
macro_rules! shapes { ($x:ident) => { fn $x() {} }; }
shapes! { fn hidden() {} }
pub(crate) mod inner { pub static COUNT: u32 = { 3 }; pub type Alias = Vec<[u8; 3]>; }
extern "C" { fn puts(text: *const u8) -> i32; }
pub const extern "C" fn exported() {}
mod other;
"##;
    assert_eq!(
        named(OutlineLanguage::Rust, text),
        [
            "struct Shape 4-4",
            "struct Pair 5-5",
            "enum Kind 6-6",
            "union Raw 7-7",
            "constant Shape.SIDES 9-9",
            "method Shape.area 11-15",
            "trait Draw 17-17",
            "method Draw.draw 17-17",
            "method Draw.twice 17-17",
            "method Kind.fmt 18-18",
            "macro shapes 19-19",
            "module inner 21-21",
            "variable inner.COUNT 21-21",
            "type inner.Alias 21-21",
            "function puts 22-22",
            "function exported 23-23",
            "module other 24-24",
        ]
    );
}

#[test]
fn python_names_classes_functions_and_module_variables() {
    let text = r#""""Doc: def fake(): """
import os
LIMIT = {"a": [1,
    2]}
name: str = 'x'
table["key"] = 1
@decorator(arg="def x():")
class Shape(Base):
    """Doc."""
    sides = 3
    async def area(self,
                   scale=1):
        def local():
            pass
        return """
def fake(): pass
"""
    class Inner:
        def method(self): return 1
if os.name == "nt":
    import nt
else:
    def fallback(): pass
try:
    import fast
except ImportError:
    FAST = None
def main() -> None:
	return	# a tab
"#;
    assert_eq!(
        named(OutlineLanguage::Python, text),
        [
            "constant LIMIT 3-4",
            "variable name 5-5",
            "class Shape 8-19",
            "method Shape.area 11-17",
            "class Shape.Inner 18-19",
            "method Inner.method 19-19",
            "function fallback 23-23",
            "constant FAST 27-27",
            "function main 28-29",
        ]
    );
}

#[test]
fn go_names_types_by_what_they_are_and_methods_by_their_receivers() {
    let text = "package shape\nimport (\n\t\"fmt\"\n)\ntype Shape struct {\n\tname string\n}\ntype Drawer interface{ Draw() }\ntype Celsius float64\ntype Alias = Shape\nconst (\n\tA = iota\n\tB\n)\nvar x, y = 1, map[string]int{\"a\": 1}\nfunc (s *Shape[T]) Area(scale func(int) int) (int, error) {\n\tf := func() { return `}` }\n\treturn 0, nil\n}\nfunc New(o interface{ X() }) struct{ a int } { return nil }\nfunc main() {}\n";
    assert_eq!(
        named(OutlineLanguage::Go, text),
        [
            "struct Shape 5-7",
            "interface Drawer 8-8",
            "type Celsius 9-9",
            "type Alias 10-10",
            "constant A 12-12",
            "constant B 13-13",
            "variable x 15-15",
            "variable y 15-15",
            "method Shape.Area 16-19",
            "function New 20-20",
            "function main 21-21",
        ]
    );
}

#[test]
fn java_names_types_and_their_methods_and_constructors() {
    let text = "package a;\nimport java.util.*;\n@Deprecated(since = \"class X {\")\npublic final class Shape<T> extends Base {\n    private static final int[] SIDES = {1, 2};\n    static { init(); }\n    public Shape(int a) { this.a = a; }\n    @Override\n    public String name() throws Error { return \"}\"; }\n    interface Drawer { void draw(); default void twice() {} }\n    enum Kind { ROUND(1) { void f() {} }, SQUARE; void g() {} }\n}\nrecord Point(int x, int y) { double norm() { return 0; } }\n@interface Mark { String value() default \"\"; }\n";
    assert_eq!(
        named(OutlineLanguage::Java, text),
        [
            "class Shape 4-12",
            "method Shape.Shape 7-7",
            "method Shape.name 9-9",
            "interface Shape.Drawer 10-10",
            "method Drawer.draw 10-10",
            "method Drawer.twice 10-10",
            "enum Shape.Kind 11-11",
            "method Kind.g 11-11",
            "class Point 13-13",
            "method Point.norm 13-13",
            "interface Mark 14-14",
        ]
    );
}

#[test]
fn javascript_names_functions_however_they_are_given_a_name() {
    let text = "'use strict'\nconst LIMIT = 5, re = /[{/]/\nlet count = 0\nfunction* numbers(a = {}) { yield `${ { a: '}' } }` }\nconst area = async (shape) => { return shape }\nclass Shape extends Base {\n  static #secret = { a: 1 };\n  constructor() { super() }\n  get name() { return '' }\n  static async *walk() {}\n}\nmodule.exports = { draw() {}, twice: function () {}, plain: 1 }\nShape.prototype.grow = function () {\n  function local() {}\n}\n;(function (global) {\n  function wrapped() { function deep() {} }\n})(this)\nexport default function main() {}\nexport const Button = () => <p>Don't {x}</p>\n";
    assert_eq!(
        named(OutlineLanguage::JavaScript, text),
        [
            "constant LIMIT 2-2",
            "constant re 2-2",
            "variable count 3-3",
            "function numbers 4-4",
            "function area 5-5",
            "class Shape 6-11",
            "method Shape.constructor 8-8",
            "method Shape.name 9-9",
            "method Shape.walk 10-10",
            "method exports.draw 12-12",
            "method exports.twice 12-12",
            "function grow 13-15",
            "function wrapped 17-17",
            "function main 19-19",
            "function Button 20-20",
        ]
    );
}

#[test]
fn typescript_names_types_as_well() {
    let text = "import { a, b } from './x'\nexport interface Shape { area(): number }\nexport type Pair<T> = { a: T, b: T }\nexport const enum Kind { Round, Square }\nnamespace Inner { export function inside(x: { a: string }): { b: string } { return { b: '' } } }\nexport abstract class Base<T> implements Shape {\n  constructor(private readonly x: number) { super() }\n  abstract draw(): void\n  area(): number { return 0 }\n}\ndeclare function external(x: number): void\nexport function over(a: string): void\nexport function over(a: any) {}\n";
    assert_eq!(
        named(OutlineLanguage::TypeScript, text),
        [
            "interface Shape 2-2",
            "type Pair 3-3",
            "enum Kind 4-4",
            "module Inner 5-5",
            "function Inner.inside 5-5",
            "class Base 6-10",
            "method Base.constructor 7-7",
            "method Base.draw 8-8",
            "method Base.area 9-9",
            "function external 11-11",
            "function over 12-12",
            "function over 13-13",
        ]
    );
    let tsx = "const App = (props: Props) => { return <p>it's</p> }\nfunction f<T,>(x: T) {}\n";
    assert_eq!(named(OutlineLanguage::Tsx, tsx), ["function App 1-1", "function f 2-2"]);
}

#[test]
fn c_names_what_stands_in_declarators_and_in_directives() {
    let text = "#include <a.h>\n#define LIMIT 10\n#define MAX(a, b) \\\n    ((a) > (b) ? (a) : (b))\nBEGIN_DECLS\n#ifdef __cplusplus\nextern \"C\" {\n#endif\ntypedef struct point { int x, y; } point_t;\ntypedef int (*compare)(const void *, const void *);\nenum kind { ROUND };\nunion raw { int a; };\nextern int elsewhere;\nstatic const char *names[] = { \"{\", \"b\" };\n#if A\nint area(int a) {\n#else\nint area(long a) {\n#endif\n    if (a) { return '}'; }\n    return 0;\n}\nstruct point *make(void) __attribute__((cold));\nint *(*pick(int n))(void) { return 0; }\n#if 0\nint never(void) {\n#endif\n#ifdef __cplusplus\n}\n#endif\n";
    assert_eq!(
        named(OutlineLanguage::C, text),
        [
            "macro LIMIT 2-2",
            "macro MAX 3-4",
            "struct point 9-9",
            "type point_t 9-9",
            "type compare 10-10",
            "enum kind 11-11",
            "union raw 12-12",
            "variable names 14-14",
            "function area 16-22",
            "function make 23-23",
            "function pick 24-24",
        ]
    );
}

#[test]
fn cpp_names_methods_inside_and_outside_of_their_classes() {
    let text = "namespace a::b {\ntemplate <typename T, class U = int>\nclass Shape : public Base<T> {\n public:\n  explicit Shape(int a) : a_{a}, b_(2) {}\n  ~Shape() = default;\n  virtual double area() const noexcept(true) override { return 0; }\n  bool operator==(const Shape &other) const { return true; }\n  struct Inner { void f() {} };\n private:\n  int a_;\n};\n}  // namespace\ndouble Shape::scale(double by) { auto s = R\"x(})x\"; return by; }\nauto lambda = [](int x) { return x; };\nusing Alias = Shape<int>;\nTEST(Shape, Area) {\n  class Local { void g() {} };\n}\nenum class Kind : int { Round };\n";
    assert_eq!(
        named(OutlineLanguage::Cpp, text),
        [
            "module a::b 1-13",
            "class b.Shape 3-12",
            "method Shape.Shape 5-5",
            "method Shape.~Shape 6-6",
            "method Shape.area 7-7",
            "method Shape.operator== 8-8",
            "struct Shape.Inner 9-9",
            "method Inner.f 9-9",
            "method Shape.scale 14-14",
            "variable lambda 15-15",
            "type Alias 16-16",
            "function TEST 17-19",
            "enum Kind 20-20",
        ]
    );
}

#[test]
fn a_signature_is_the_line_of_the_name_without_values_and_texts() {
    let rust = "pub const KEY: &str = \"canary-1\";\npub fn area<'a>(&'a self, n: u32) -> f64 {\n}\n";
    let signatures: Vec<_> =
        outline(OutlineLanguage::Rust, rust).definitions.iter().map(|d| d.signature.to_string()).collect();
    let c = outline(OutlineLanguage::C, "#define MAX(a, b) \\\n  ((a) > (b))\n#define ONE 1\n");
    let c: Vec<_> = c.definitions.iter().map(|d| d.signature.to_string()).collect();
    assert_eq!(c, ["#define MAX(a, b)", "#define ONE"]);
    assert_eq!(signatures, ["pub const KEY: &str", "pub fn area<'a>(&'a self, n: u32) -> f64"]);
    for (language, text) in [
        (OutlineLanguage::Rust, "pub const A: Map<K, V> = canary;\n"),
        (OutlineLanguage::Python, "def f(key=\"canary\", other='canary'): pass\nTOKEN = canary(1)\n"),
        (
            OutlineLanguage::JavaScript,
            "const a = 'canary', b = `canary`\nfunction f(x = 'it\\'s canary') {}\n",
        ),
        (
            OutlineLanguage::C,
            "#define PASSWORD canary\n#define USE(x) canary\nfn( ;\n#define KEY \"canary\"\nchar key[] = \"canary\";\n",
        ),
        (OutlineLanguage::Java, "class A { String key(String a) { return \"canary\"; } }\n"),
    ] {
        let outline = outline(language, text);
        assert!(!outline.definitions.is_empty());
        for definition in outline.definitions {
            assert!(!definition.signature.contains("canary"), "{language:?} {definition:?}");
        }
    }
}

#[test]
fn a_text_with_errors_gives_what_can_be_recognised() {
    let names = |language, text: &str| -> Vec<String> {
        outline(language, text).definitions.iter().map(|d| d.name.to_string()).collect()
    };
    assert_eq!(names(OutlineLanguage::Rust, "fn a() {}\nstruct ;;; )\nfn b() {}\n"), ["a", "b"]);
    assert_eq!(
        names(OutlineLanguage::Python, "def a(:\n  x\ndef b():\n  )))\ndef c(): pass\n").last().unwrap(),
        "c"
    );
    assert_eq!(names(OutlineLanguage::Go, "package a\nfunc a() {}}}\nfunc b() {}\n"), ["a", "b"]);
}

#[test]
fn references_count_identifiers_in_code_and_nowhere_else() {
    let text = "// shape\nfn area(shape: Shape) { shape.area(\"shape\"); let r = r\"shape\"; } /* shape */\n";
    let references = outline(OutlineLanguage::Rust, text).references;
    assert_eq!((references.count("shape"), references.count("Shape"), references.count("area")), (2, 1, 2));
    let plain = Outliner::new(false).outline(OutlineLanguage::Rust, text.as_bytes(), &mut || false).unwrap();
    assert!(plain.references.is_empty() && plain.definitions.len() == 1);
}

/// Texts that make parsers and scanners slow, deep or large.
fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    // Large enough that a cost that grows with the square of the size shows.
    let repeat = |part: &[u8], times: usize| part.repeat(times.div_ceil(4));
    vec![
        ("nested round brackets", repeat(b"(", 1_000_000)),
        ("nested braces", [repeat(b"{", 500_000), repeat(b"}", 500_000)].concat()),
        ("nested square brackets", repeat(b"[", 1_000_000)),
        ("closing brackets", repeat(b"}", 1_000_000)),
        ("quotes that hide each other", repeat(b"'\\", 700_000)),
        ("double quotes that hide each other", repeat(b"\"\\", 700_000)),
        ("regular expressions without end", repeat(b"=/[", 500_000)),
        ("templates in templates", repeat(b"`${", 400_000)),
        ("comments that open", repeat(b"/*", 700_000)),
        ("attributes that open", repeat(b"asm(", 300_000)),
        ("directives that open", repeat(b"#if 0\n#else\n{\n", 100_000)),
        ("raw strings that open", repeat(b"r#\"", 400_000)),
        ("here and there a name", repeat(b"fn a(){}class b{def c():\n", 40_000)),
        ("one line of a minified bundle", repeat(b"var a=function(b){return{c:b,d:[1,2,3]}},e=5;", 30_000)),
        ("spaces", repeat(b" ", 2_000_000)),
        (
            "deeper and deeper",
            (0..1_500).flat_map(|n| [repeat(b" ", n), b"if x:\n".to_vec()].concat()).collect(),
        ),
        (
            "bytes that are no text",
            (0..1_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect(),
        ),
        ("broken characters", repeat(b"\xff\xc3(\x80", 300_000)),
        ("zero bytes", vec![0; 1_000_000]),
        ("many names", (0..100_000).flat_map(|n| format!("int f{n}();\n").into_bytes()).collect()),
    ]
}

#[test]
fn no_text_holds_up_an_outline_for_long() {
    // Not a measurement: a cost that grows with the square of a text takes minutes for these.
    let limit = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 2 });
    for (what, text) in hostile() {
        for language in OutlineLanguage::ALL {
            let began = now();
            let mut stop = || began.elapsed() > Duration::from_millis(50);
            let result = Outliner::new(true).outline(language, &text, &mut stop);
            assert!(began.elapsed() < limit, "{what} as {language:?} took {:?}", began.elapsed());
            if let Ok(outline) = result {
                assert!(outline.definitions.len() <= 20_000 && outline.references.len() <= 50_000, "{what}");
                assert!(outline.definitions.iter().all(|d| d.name.len() <= 200 && d.signature.len() <= 200));
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the test measures time")]
fn now() -> Instant {
    Instant::now()
}

#[test]
fn an_outliner_that_was_stopped_outlines_the_next_text_as_if_nothing_had_been() {
    let mut outliner = Outliner::new(false);
    let long = "fn a() {}\n".repeat(50_000);
    assert_eq!(outliner.outline(OutlineLanguage::Rust, long.as_bytes(), &mut || true), Err(NotParsed));
    let next = outliner.outline(OutlineLanguage::Rust, b"fn b() {}\n", &mut || false).unwrap();
    assert_eq!(next.definitions.len(), 1);
}
