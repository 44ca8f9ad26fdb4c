#[path = "support/scenes.rs"]
mod scenes;
#[path = "support/stage.rs"]
mod stage;
use stage::Stage;
#[test]
fn look() {
    for v in wheelhouse::views::ALL { for size in [(160,16),(80,16)] { let s = Stage::scene(v.id, "typical", size); println!("{}\n{}", s.text(), "=".repeat(size.0 as usize)); } }
    for scene in ["starting","empty","filtered","denied","stale","hostile"] { let s = Stage::scene("pods", scene, (120,14)); println!("{}\n{}", s.text(), "=".repeat(120)); }
    let mut s = Stage::scene("pods","typical",(100,60)); s.press("?"); println!("{}", s.text());
    let mut s = Stage::scene("pods","typical",(100,30)); s.press("C"); println!("{}", s.text());
    let mut s = Stage::scene("pods","typical",(100,20)); s.press(":n"); println!("{}", s.text());
}
