//! The layers of the source: no file imports from a layer above its own, and no two import each other, directly or by
//! way of others, save a parent and its children.
//!
//! An import of a name that a folder only re-exports counts as an import of the file that defines it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// From the lowest to the highest.
const LAYERS: [&str; 9] = ["types", "attack", "scenario", "world", "subject", "watch", "run", "report", "cli"];

/// A module, or a name in one, as a path from the root of the crate.
type Name = Vec<String>;

/// A file without its tests and comments.
#[derive(Default)]
struct File {
    /// All paths that it names, as they are written.
    paths: Vec<Name>,
    /// Those that it re-exports.
    exports: Vec<Name>,
}

impl File {
    fn read(text: &str) -> Self {
        let code = text.split("#[cfg(test)]\nmod tests").next().expect("the first part of several");
        let mut file = Self::default();
        let mut lines = code.lines().map(str::trim).filter(|line| !line.starts_with("//"));
        while let Some(line) = lines.next() {
            let Some((head, tree)) = line.split_once("use ").filter(|(head, _)| is_visibility(head)) else {
                file.paths.extend(inline(line));
                continue;
            };
            let mut tree = tree.to_owned();
            while !tree.ends_with(';') {
                tree += lines.next().expect("a statement has an end");
            }
            let paths = expand(tree.trim_end_matches(';'));
            if !head.is_empty() {
                file.exports.extend(paths.iter().cloned());
            }
            file.paths.extend(paths);
        }
        file
    }
}

fn is_visibility(text: &str) -> bool {
    text.is_empty() || text == "pub " || text.starts_with("pub(") && text.ends_with(") ")
}

/// `a::{b, c::d}` as `a::b` and `a::c::d`.
fn expand(tree: &str) -> Vec<Name> {
    let Some((prefix, rest)) = tree.split_once('{') else { return vec![names(tree)] };
    let inner = rest.rsplit_once('}').expect("braces come in pairs").0;
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for sign in inner.chars() {
        depth += i32::from(sign == '{') - i32::from(sign == '}');
        if sign == ',' && depth == 0 {
            parts.push(String::new());
        } else {
            parts.last_mut().expect("at least one").push(sign);
        }
    }
    let parts = parts.iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| expand(part)).map(|path| names(prefix).into_iter().chain(path).collect()).collect()
}

fn names(path: &str) -> Name {
    let path = path.split(" as ").next().expect("the first part of several");
    path.split("::").map(str::trim).filter(|name| !name.is_empty() && *name != "self").map(str::to_owned).collect()
}

/// Paths from the root or from a parent that stand in code.
fn inline(code: &str) -> Vec<Name> {
    let words = code.split(|sign: char| !sign.is_alphanumeric() && sign != '_' && sign != ':');
    words
        .filter(|word| ["crate::", "super::", "connmgr_sim::"].iter().any(|it| word.starts_with(it)))
        .map(names)
        .collect()
}

struct Source(BTreeMap<Name, File>);

impl Source {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = BTreeMap::new();
        collect(&root, &mut Vec::new(), &mut files);
        Self(files)
    }

    /// The file that defines what a path in a module stands for; none for what is not of this crate.
    fn definition(&self, module: &Name, path: &Name) -> Option<Name> {
        let absolute = self.absolute(module, path)?;
        let owner =
            (0..=absolute.len()).rev().map(|len| absolute[..len].to_vec()).find(|it| self.0.contains_key(it))?;
        let name = absolute.get(owner.len());
        let exports = self.0[&owner].exports.iter();
        match exports.into_iter().find(|export| export.last() == name && export.len() > 1) {
            Some(export) => self.definition(&owner, export),
            None => Some(owner),
        }
    }

    fn absolute(&self, module: &Name, path: &Name) -> Option<Name> {
        let supers = path.iter().take_while(|name| *name == "super").count();
        let child = || module.iter().cloned().chain(path.iter().take(1).cloned()).collect::<Name>();
        match path.first()?.as_str() {
            "crate" | "connmgr_sim" => Some(path[1..].to_vec()),
            "super" => Some(module[..module.len() - supers].iter().chain(&path[supers..]).cloned().collect()),
            _ if self.0.contains_key(&child()) => Some(module.iter().chain(path).cloned().collect()),
            _ => None,
        }
    }

    fn imports(&self) -> BTreeMap<Name, BTreeSet<Name>> {
        let of = |(module, file): (&Name, &File)| {
            let targets = file.paths.iter().filter_map(|path| self.definition(module, path));
            (module.clone(), targets.filter(|target| target != module).collect())
        };
        self.0.iter().map(of).collect()
    }
}

fn collect(folder: &Path, module: &mut Name, files: &mut BTreeMap<Name, File>) {
    for entry in fs::read_dir(folder).expect("the source is there") {
        let path = entry.expect("it can be read").path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("plain names").to_owned();
        let is_code = path.is_dir() || path.extension().is_some_and(|it| it == "rs");
        if stem == "tests" || !is_code {
            continue;
        }
        let is_own = stem == "mod" || stem == "lib" || stem == "main";
        module.extend((!is_own).then_some(stem));
        if path.is_dir() {
            collect(&path, module, files);
        } else {
            files.insert(module.clone(), File::read(&fs::read_to_string(&path).expect("it can be read")));
        }
        module.truncate(module.len() - usize::from(!is_own));
    }
}

fn layer(module: &Name) -> Option<usize> {
    let name = module.first()?;
    let layer = LAYERS.iter().position(|layer| layer == name);
    assert!(layer.is_some(), "{name} is in no layer: say in which");
    layer
}

#[test]
fn no_file_imports_from_a_layer_above() {
    let mut count = 0;
    let mut wrong = Vec::new();
    for (module, imports) in Source::read().imports() {
        for import in imports {
            let (Some(own), Some(other)) = (layer(&module), layer(&import)) else { continue };
            wrong.extend((other > own).then(|| format!("{} imports {}", module.join("::"), import.join("::"))));
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 300, "only {count} imports were found");
}

#[test]
fn no_files_import_each_other() {
    let mut imports = Source::read().imports();
    let is_kin = |a: &Name, b: &Name| a.starts_with(b) || b.starts_with(a);
    for (module, targets) in &mut imports {
        targets.retain(|target| !is_kin(module, target));
    }
    // Takes out the files that import none of those left, or that none of those left imports, until circles are left.
    let is_free = |imports: &BTreeMap<Name, BTreeSet<Name>>, module: &Name| {
        imports[module].is_empty() || !imports.values().any(|targets| targets.contains(module))
    };
    while let Some(free) = imports.keys().find(|module| is_free(&imports, module)).cloned() {
        imports.remove(&free);
        for targets in imports.values_mut() {
            targets.remove(&free);
        }
    }
    let text = |(module, targets): (&Name, &BTreeSet<Name>)| {
        let targets: Vec<String> = targets.iter().map(|target| target.join("::")).collect();
        format!("{} imports {}", module.join("::"), targets.join(", "))
    };
    let circles: Vec<String> = imports.iter().map(text).collect();
    assert!(circles.is_empty(), "in circles:\n{}", circles.join("\n"));
}
