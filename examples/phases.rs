use std::path::PathBuf;
use std::time::Instant;
use unleak::config::Configuration;
use unleak::engine::{project::Project, *};
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let root = std::fs::canonicalize(&path).unwrap();
    let request = Request { paths: vec![root.clone()], options: Options { configuration: Configuration::default(), threads: std::num::NonZeroUsize::new(2) }, ..Request::default() };
    let mut project = Project::new(request.clone()).unwrap();
    let out = project.check(&Progress::default());
    println!("{:?} {}", out.statistics.phases, out.findings.len());
    let files: Vec<PathBuf> = out.checked.clone();
    for i in 0..12 {
        let file = &files[(i * 997 + 13) % files.len()];
        let text = std::fs::read_to_string(file).unwrap() + &format!("\nx{i} = 1\n");
        let t = Instant::now();
        let c = cpu();
        project.set_text(file, Some(text.as_str().into()));
        let out = project.check(&Progress::default());
        println!("{:?} cpu {} ms {:?}", t.elapsed(), cpu() - c, out.statistics.phases);
    }
    let t = Instant::now();
    let c = cpu();
    let out = check(&request, &Progress::default());
    println!("cold {:?} cpu {} {:?}", t.elapsed(), cpu() - c, out.statistics.phases);
}
fn cpu() -> u64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    (f[11].parse::<u64>().unwrap() + f[12].parse::<u64>().unwrap()) * 10
}
