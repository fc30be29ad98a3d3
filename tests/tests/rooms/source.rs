//! Reads the source of a crate: its modules, and which modules each of them imports.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use syn::visit::Visit;
use syn::{Attribute, Item, UseTree, Visibility};

/// The path of a module below the crate's root.
type Module = Vec<String>;

/// A crate's source without its tests.
pub(crate) struct Crate {
    modules: BTreeMap<Module, Contents>,
}

#[derive(Default)]
struct Contents {
    file: String,
    docs: String,
    children: BTreeSet<String>,
    /// Names that a `use` brings in, and where they come from.
    aliases: BTreeMap<String, Vec<String>>,
    /// Paths of private `use` items and of expressions.
    used: BTreeSet<Vec<String>>,
    /// Paths of `pub use` items.
    re_exported: BTreeSet<Vec<String>>,
}

/// A use, in one file, of an item that another file defines.
pub(crate) struct Import {
    pub(crate) from: Module,
    pub(crate) to: Module,
    path: Vec<String>,
    file: String,
}

impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} uses {}", self.file, self.path.join("::"))
    }
}

impl Crate {
    pub(crate) fn read(root: &Path) -> Self {
        let mut this = Self { modules: BTreeMap::new() };
        this.read_file(root, "lib.rs", Vec::new());
        assert!(this.modules.len() > 3, "no crate at {}", root.display());
        this
    }

    fn read_file(&mut self, root: &Path, file: &str, module: Module) {
        let text = std::fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        self.read_items(root, file, module, &parsed.items, &parsed.attrs);
    }

    fn read_items(&mut self, root: &Path, file: &str, module: Module, items: &[Item], attrs: &[Attribute]) {
        let docs = text_of_docs(attrs);
        let mut contents = Contents { file: file.to_owned(), docs, ..Contents::default() };
        let mut below = Vec::new();
        for item in items.iter().filter(|item| !is_test(item)) {
            match item {
                Item::Mod(child) => {
                    contents.children.insert(child.ident.to_string());
                    below.push(child);
                }
                Item::Use(item) => {
                    let is_private = matches!(item.vis, Visibility::Inherited);
                    for (path, name) in flattened(&item.tree) {
                        contents.aliases.insert(name, path.clone());
                        if is_private { &mut contents.used } else { &mut contents.re_exported }.insert(path);
                    }
                }
                item => PathsIn(&mut contents.used).visit_item(item),
            }
        }
        self.modules.insert(module.clone(), contents);
        for child in below {
            let name = child.ident.to_string();
            let mut path = module.clone();
            path.push(name.clone());
            match &child.content {
                Some((_, items)) => self.read_items(root, file, path, items, &child.attrs),
                None => {
                    let folder = path.join("/");
                    let own = [format!("{folder}.rs"), format!("{folder}/mod.rs")];
                    let found = own.iter().find(|file| root.join(file).exists());
                    self.read_file(root, found.unwrap_or_else(|| panic!("no file for {folder}")), path);
                }
            }
        }
    }

    /// Every use of an item of another file. A re-export within a room is not counted: a use of the re-export counts as
    /// a use of the item itself.
    pub(crate) fn imports(&self) -> Vec<Import> {
        let mut imports = Vec::new();
        for (from, contents) in &self.modules {
            let all = contents.used.iter().map(|path| (path, false));
            for (path, is_re_export) in all.chain(contents.re_exported.iter().map(|path| (path, true))) {
                let Some(to) = self.resolve(from, path, 0) else { continue };
                let is_same_room = self.room(from) == self.room(&to);
                if self.modules[&to].file == contents.file || (is_re_export && is_same_room) {
                    continue;
                }
                imports.push(Import {
                    from: from.clone(),
                    to,
                    path: path.clone(),
                    file: contents.file.clone(),
                });
            }
        }
        imports
    }

    /// The module that defines the item at a path, also through re-exports. `None` for an item of another crate.
    fn resolve(&self, from: &[String], path: &[String], depth: usize) -> Option<Module> {
        let (mut at, mut rest) = match path.first()?.as_str() {
            "crate" => (Vec::new(), path.get(1..)?),
            "self" => (from.to_vec(), path.get(1..)?),
            "super" => (from.get(..from.len().checked_sub(1)?)?.to_vec(), path.get(1..)?),
            name if self.modules[from].children.contains(name) => (from.to_vec(), path),
            name if depth > 0 && self.modules[from].aliases.contains_key(name) => (from.to_vec(), path),
            _ => return None,
        };
        while let Some((name, after)) = rest.split_first() {
            let contents = &self.modules[&at];
            if name == "super" {
                at.pop();
            } else if contents.children.contains(name) {
                at.push(name.clone());
            } else if let Some(alias) =
                contents.aliases.get(name).filter(|alias| **alias != *path && depth < 16)
            {
                let full: Vec<String> = alias.iter().chain(after).cloned().collect();
                // An item that a module re-exports from another crate counts as its own.
                return self.resolve(&at, &full, depth + 1).or(Some(at));
            } else {
                break;
            }
            rest = after;
        }
        Some(at)
    }

    /// The room of a module: the first folder or file below the root.
    pub(crate) fn room(&self, module: &[String]) -> String {
        // A module that is written in `lib.rs` itself belongs to `lib`.
        match module.first() {
            Some(room) if self.modules[&module[..1]].file != "lib.rs" => room.clone(),
            _ => "lib".to_owned(),
        }
    }

    /// The rooms below `lib.rs`, each with its first file.
    pub(crate) fn rooms(&self) -> Vec<(String, String)> {
        let rooms = self.modules.iter().filter(|(module, of)| module.len() == 1 && of.file != "lib.rs");
        rooms.map(|(module, of)| (module[0].clone(), of.file.clone())).collect()
    }

    pub(crate) fn docs_of(&self, room: &str) -> String {
        self.modules[&vec![room.to_owned()]].docs.clone()
    }

    /// The other crates that a room imports, each with the file that imports it.
    pub(crate) fn foreign_imports(&self, room: &str) -> BTreeSet<(String, String)> {
        let own = self.modules.iter().filter(|(module, _)| self.room(module) == room);
        own.flat_map(|(module, contents)| {
            let all = contents.used.iter().chain(&contents.re_exported);
            let foreign = all.filter(|path| self.resolve(module, path, 0).is_none());
            foreign.filter_map(|path| Some((contents.file.clone(), path.first()?.clone())))
        })
        .collect()
    }

    /// Import cycles: sets of files in which each file imports all others, directly or through other files.
    pub(crate) fn cycles(&self) -> Vec<Vec<String>> {
        let imports = self.imports().into_iter();
        cycles(imports.map(|import| (import.file, self.modules[&import.to].file.clone())))
    }
}

/// Cycles of a graph: sets of names in which each name reaches all others along the edges.
pub(crate) fn cycles(edges: impl Iterator<Item = (String, String)>) -> Vec<Vec<String>> {
    let mut reached: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (from, to) in edges {
        reached.entry(from).or_default().insert(to);
    }
    let count =
        |reached: &BTreeMap<String, BTreeSet<String>>| reached.values().map(BTreeSet::len).sum::<usize>();
    loop {
        let before = count(&reached);
        let known = reached.clone();
        for of in reached.values_mut() {
            let further: Vec<_> = of.iter().filter_map(|name| known.get(name)).flatten().cloned().collect();
            of.extend(further);
        }
        if count(&reached) == before {
            break;
        }
    }
    let reaches = |from: &String, to: &String| reached.get(from).is_some_and(|of| of.contains(to));
    let cycle =
        |name| reached.keys().filter(|other| reaches(name, other) && reaches(other, name)).cloned().collect();
    let cycles: BTreeSet<Vec<String>> =
        reached.keys().filter(|name| reaches(name, name)).map(cycle).collect();
    cycles.into_iter().collect()
}

/// The paths of a `use`, each with the name that it brings in.
fn flattened(tree: &UseTree) -> Vec<(Vec<String>, String)> {
    match tree {
        UseTree::Path(path) => {
            let mut all = flattened(&path.tree);
            for (below, name) in &mut all {
                // `use a::{self}` brings in `a`.
                if below.as_slice() == ["self"] {
                    below.clear();
                    if name == "self" {
                        *name = path.ident.to_string();
                    }
                }
                below.insert(0, path.ident.to_string());
            }
            all
        }
        UseTree::Name(name) => vec![(vec![name.ident.to_string()], name.ident.to_string())],
        UseTree::Rename(rename) => vec![(vec![rename.ident.to_string()], rename.rename.to_string())],
        UseTree::Glob(_) => vec![(Vec::new(), "*".to_owned())],
        UseTree::Group(group) => group.items.iter().flat_map(flattened).collect(),
    }
}

/// Collects the paths that begin with `crate` or `super`.
struct PathsIn<'p>(&'p mut BTreeSet<Vec<String>>);

impl<'ast> Visit<'ast> for PathsIn<'_> {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if names.len() > 1 && matches!(names[0].as_str(), "crate" | "super") {
            self.0.insert(names);
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_visibility(&mut self, _: &'ast Visibility) {
        // `pub(in crate::room)` is not an import.
    }

    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(item) {
            syn::visit::visit_item(self, item);
        }
    }
}

/// Whether an item is only there for tests or for the documentation.
fn is_test(item: &Item) -> bool {
    let attrs = match item {
        Item::Mod(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Const(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        _ => return false,
    };
    attrs.iter().filter(|attr| attr.path().is_ident("cfg")).any(|attr| {
        let condition = attr.meta.require_list().map(|list| list.tokens.to_string().replace(' ', ""));
        condition.is_ok_and(|only| matches!(only.as_str(), "test" | "doc" | "any(doc,doctest)"))
    })
}

/// The inner doc comment, its lines joined.
fn text_of_docs(attrs: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("doc")) {
        if let syn::Meta::NameValue(pair) = &attr.meta
            && let syn::Expr::Lit(literal) = &pair.value
            && let syn::Lit::Str(text) = &literal.lit
        {
            lines.push(text.value().trim().to_owned());
        }
    }
    lines.join(" ")
}
