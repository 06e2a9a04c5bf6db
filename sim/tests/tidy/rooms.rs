//! What may use what in `sim/src`: the rooms of the map in `sim/src/lib.rs`, each of which uses
//! only those above it, and no circles between the modules of a room.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use crate::{
    assert_none,
    modules::{Modules, Path},
    texts,
};

/// Rooms of the map that are not built yet.
const NOT_YET: &[&str] = &[];

/// Arrows that point the wrong way: a room, and one below it that it uses. Only to be shortened.
const WRONG_ARROWS: &[(&str, &str)] = &[];

/// Circles of modules: the modules of each, in order. Only to be shortened.
const CIRCLES: &[&[&str]] = &[];

/// The rooms as the map draws them, from the lowest on.
fn rooms() -> Vec<String> {
    let (_, lib) = files().find(|(path, _)| *path == "lib.rs").unwrap();
    let rows = lib.lines().filter_map(|line| line.strip_prefix("//! | `"));
    let rooms = rows.filter_map(|row| row.split_once("` |"));
    rooms.map(|(room, _)| room.to_owned()).collect()
}

/// The files of the library, by their path below `sim/src`.
fn files() -> impl Iterator<Item = (&'static str, &'static str)> {
    let files = texts("sim/src").filter(|(path, _)| *path != "sim/src/main.rs");
    files.map(|(path, text)| (path.strip_prefix("sim/src/").unwrap(), text))
}

/// Its modules.
static MODULES: LazyLock<Modules> = LazyLock::new(|| Modules::read(&files().collect::<Vec<_>>()));

#[test]
fn every_room_is_on_the_map() {
    let modules = &*MODULES;
    let built: BTreeSet<&str> = modules
        .all()
        .filter_map(|path| Some(path.first()?.as_str()))
        .collect();
    let rooms = rooms();
    let mut wrong = Vec::new();
    for room in &built {
        wrong.extend(
            (!rooms.iter().any(|it| it == room)).then(|| format!("{room} is not on the map")),
        );
    }
    for room in &rooms {
        let is_built = built.contains(room.as_str());
        if is_built == NOT_YET.contains(&room.as_str()) {
            let built = if is_built { "built" } else { "not built" };
            wrong.push(format!("{room} is {built}"));
        }
    }
    assert_none("the map in sim/src/lib.rs", &wrong);
}

#[test]
fn arrows_point_down() {
    let (rooms, modules) = (rooms(), &*MODULES);
    let place = |path: &Path| rooms.iter().position(|room| Some(room) == path.first());
    let mut found: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for path in modules.all() {
        for used in modules.uses(path, true) {
            let (Some(from), Some(to)) = (place(path), place(used)) else {
                continue;
            };
            if to > from {
                let line = format!("{} uses {}", path.join("::"), used.join("::"));
                found
                    .entry((&rooms[from], &rooms[to]))
                    .or_default()
                    .push(line);
            }
        }
    }
    let mut wrong = Vec::new();
    for ((from, to), lines) in &found {
        if !WRONG_ARROWS.contains(&(from, to)) {
            wrong.push(format!("(\"{from}\", \"{to}\"): {}", lines.join(", ")));
        }
    }
    for (from, to) in WRONG_ARROWS {
        if !found.contains_key(&(*from, *to)) {
            wrong.push(format!(
                "{from} no longer uses {to}: strike it from WRONG_ARROWS"
            ));
        }
    }
    assert_none("a room uses only rooms above it on the map", &wrong);
}

#[test]
fn no_modules_of_a_room_use_each_other_in_a_circle() {
    let modules = &*MODULES;
    let circles = circles(modules);
    let names =
        |circle: &[&Path]| -> Vec<String> { circle.iter().map(|it| it.join("::")).collect() };
    let circles: Vec<Vec<String>> = circles.iter().map(|circle| names(circle)).collect();
    let mut wrong = Vec::new();
    for circle in &circles {
        if !CIRCLES.iter().any(|known| circle == known) {
            wrong.push(format!("{circle:?}"));
        }
    }
    for known in CIRCLES {
        if !circles.iter().any(|circle| circle == known) {
            wrong.push(format!(
                "{known:?} is none any more: strike it from CIRCLES"
            ));
        }
    }
    assert_none("circles", &wrong);
}

/// The sets of modules of one room in which each uses each, perhaps through others.
///
/// What a module passes on is no use of it. Nor does a module's use of its own ancestor count, or
/// an ancestor's use of it: the files of one folder are parts of one thing.
fn circles(modules: &Modules) -> Vec<Vec<&Path>> {
    let is_inside = |outer: &Path, inner: &Path| inner.starts_with(outer);
    let mut uses = BTreeMap::new();
    for path in modules.all().filter(|path| !path.is_empty()) {
        let mut used = modules.uses(path, false);
        used.retain(|used| {
            used.first() == path.first() && !is_inside(used, path) && !is_inside(path, used)
        });
        uses.insert(path, used);
    }
    let reached: BTreeMap<_, _> = uses
        .keys()
        .map(|path| (*path, reached(&uses, path)))
        .collect();
    let mut circles: Vec<Vec<&Path>> = Vec::new();
    for (path, all) in &reached {
        let circle: Vec<_> = all
            .iter()
            .copied()
            .filter(|it| reached[it].contains(path))
            .collect();
        if !circle.is_empty() && !circles.contains(&circle) {
            circles.push(circle);
        }
    }
    circles
}

/// All modules that can be reached from one; itself, if it stands in a circle.
fn reached<'a>(uses: &BTreeMap<&'a Path, BTreeSet<&'a Path>>, from: &Path) -> BTreeSet<&'a Path> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&Path> = uses[from].iter().copied().collect();
    while let Some(path) = next.pop() {
        if reached.insert(path) {
            next.extend(uses[path].iter().copied());
        }
    }
    reached
}
