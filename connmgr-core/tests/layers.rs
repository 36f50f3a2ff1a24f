//! The layers of the source: no file imports from a layer above its own, and no two import each other, directly or by way
//! of others, save a parent and its children.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// From the lowest to the highest. Those in one entry stand beside each other.
const LAYERS: [&[&str]; 7] = [
    &["types"],
    &["config"],
    &["mechanisms"],
    &["book"],
    &["attempt", "conn", "peer", "peers", "table"],
    &["manager"],
    &["driver", "socks"],
];

/// A module by its path from the root of the crate.
type Module = Vec<String>;

/// All modules but those of tests, and what each imports.
struct Source {
    imports: BTreeMap<Module, BTreeSet<Module>>,
}

impl Source {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut texts = BTreeMap::new();
        collect(&root, &root, &mut texts);
        let modules: BTreeSet<Module> = texts.keys().cloned().collect();
        let of = |(module, text): (&Module, &String)| {
            let own =
                |target: Module| modules.range(..=target.clone()).rev().find(|it| target.starts_with(it)).cloned();
            let targets = paths(module, text).into_iter().filter_map(own).filter(|target| target != module);
            (module.clone(), targets.collect())
        };
        Self { imports: texts.iter().map(of).collect() }
    }
}

fn collect(root: &Path, folder: &Path, texts: &mut BTreeMap<Module, String>) {
    let entries = fs::read_dir(folder).expect("the source is there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    files.sort();
    for file in files {
        let is_test = file.file_stem().is_some_and(|stem| stem == "tests");
        match (file.is_dir(), file.extension().is_some_and(|it| it == "rs")) {
            (true, _) if !is_test => collect(root, &file, texts),
            (false, true) if !is_test => {
                let text = fs::read_to_string(&file).expect("it can be read");
                let code = text.split("#[cfg(test)]\nmod tests").next().expect("the first part of several");
                texts.insert(module(root, &file), code.to_owned());
            }
            _ => {}
        }
    }
}

fn module(root: &Path, file: &Path) -> Module {
    let path = file.strip_prefix(root).expect("it is in the source").with_extension("");
    let names = path.iter().map(|name| name.to_str().expect("plain names").to_owned());
    names.filter(|name| name != "mod" && name != "lib").collect()
}

/// Every path that the code of a module names, from the root of the crate.
fn paths(module: &Module, text: &str) -> Vec<Module> {
    let mut found = Vec::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
        for (marker, above) in [("crate::", module.len()), ("super::super::", 2), ("super::", 1)] {
            for (at, _) in line.match_indices(marker) {
                let rest = &line[at + marker.len()..];
                let follows_another = line[..at].ends_with("::");
                // A macro names what its caller has from the crate's root.
                let is_of_macro = line[..at].ends_with('$');
                if follows_another || is_of_macro || rest.starts_with("super::") || above > module.len() {
                    continue;
                }
                let names = rest.split(|sign: char| !sign.is_alphanumeric() && sign != '_' && sign != ':').next();
                let names = names.expect("the first part of several").split("::").filter(|name| !name.is_empty());
                let base = module[..module.len() - above].iter().cloned();
                found.push(base.chain(names.map(str::to_owned)).collect());
            }
        }
    }
    found
}

fn layer(module: &Module) -> Option<usize> {
    let name = module.first()?;
    let layer = LAYERS.iter().position(|names| names.contains(&name.as_str()));
    assert!(layer.is_some(), "{name} is in no layer: say in which");
    layer
}

#[test]
fn no_file_imports_from_a_layer_above() {
    let source = Source::read();
    let mut count = 0;
    for (module, imports) in &source.imports {
        for import in imports {
            assert!(!import.is_empty(), "{} imports from the root, which hides the layer", module.join("::"));
            let (Some(own), Some(other)) = (layer(module), layer(import)) else { continue };
            assert!(other <= own, "{} imports {}", module.join("::"), import.join("::"));
            count += 1;
        }
    }
    assert!(count > 200, "only {count} imports were found");
}

#[test]
fn no_files_import_each_other() {
    let mut imports = Source::read().imports;
    let is_kin = |a: &Module, b: &Module| a.starts_with(b) || b.starts_with(a);
    for (module, targets) in &mut imports {
        targets.retain(|target| !is_kin(module, target));
    }
    // Takes out who imports nobody that is left, until only circles are left.
    loop {
        let free: Vec<Module> =
            imports.iter().filter(|(_, targets)| targets.is_empty()).map(|(module, _)| module.clone()).collect();
        if free.is_empty() {
            break;
        }
        for module in free {
            imports.remove(&module);
            imports.values_mut().for_each(|targets| {
                targets.remove(&module);
            });
        }
    }
    let text = |(module, targets): (&Module, &BTreeSet<Module>)| {
        let targets: Vec<String> = targets.iter().map(|target| target.join("::")).collect();
        format!("{} imports {}", module.join("::"), targets.join(", "))
    };
    let circles: Vec<String> = imports.iter().map(text).collect();
    assert!(circles.is_empty(), "in circles, or beside one:\n{}", circles.join("\n"));
}
