//! A generic sandbox becomes a function's: files that appear late, limits that are set late.

use std::{fs, os::unix::fs::PermissionsExt};

use callgate::sandbox::Binding;
use serde_json::json;

use super::bare::Ground;

#[tokio::test]
async fn files_appear_read_only_and_stay() {
    let ground = Ground::new();
    let layers = ground.folder.path().join("layers");
    fs::create_dir(&layers).unwrap();
    fs::copy("/usr/bin/id", layers.join("id")).unwrap();
    fs::write(layers.join("layer"), "there").unwrap();
    for (name, mode) in [("", 0o755), ("id", 0o4755), ("layer", 0o644)] {
        fs::set_permissions(layers.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let mut bare = ground.generic().await;
    let mut binding = ground.binding();
    binding.mounts.push((layers.clone(), "/opt"));
    bare.bind(&binding).await;
    for folder in ["/var/task", "/opt"] {
        let options = format!(
            "fs.readFileSync('/proc/self/mountinfo', 'utf8').split('\\n').find((line) => line.split(' ')[4] === '{folder}').split(' ')[5]"
        );
        let options = bare.evaluate(&options).await.unwrap();
        let options: Vec<&str> = options.as_str().unwrap().split(',').collect();
        for wanted in ["ro", "nosuid", "nodev"] {
            assert!(options.contains(&wanted), "{folder}: {options:?}");
        }
    }
    let mut value = async |expression: &str| bare.evaluate(expression).await.unwrap();
    assert_eq!(value("fs.readFileSync('/opt/layer', 'utf8')").await, "there");
    assert_eq!(value("fs.writeFileSync('/opt/layer', 'x')").await, "EROFS");
    assert_eq!(value("fs.writeFileSync('/var/task/new', 'x')").await, "EROFS");
    assert_eq!(value("process.cwd()").await, "/var/task");
    // It says who runs it: not the file's owner.
    assert_eq!(value("execFileSync('/opt/id', ['-u']).toString().trim()").await, "993");
    let unmounted = value("spawnSync('umount', ['/opt']).status").await;
    assert_ne!(unmounted, 0);
    assert_eq!(value("fs.readFileSync('/opt/layer', 'utf8')").await, "there");
    let groups = bare.control.groups();
    drop(bare);
    ground.close(groups).await;
}

#[tokio::test]
async fn a_tmpfs_holds_no_more_files_than_it_may() {
    let ground = Ground::new();
    let mut bare = ground.generic().await;
    bare.bind(&Binding { tmp_mb: 2, ..ground.binding() }).await;
    for (folder, most) in [("/tmp", 128), ("/dev/shm", 1_024)] {
        let fill = format!(
            "(() => {{ for (let n = 0; ; n++) {{ try {{ fs.writeFileSync('{folder}/' + n, ''); }} catch (error) {{ return [n, error.code]; }} }} }})()"
        );
        let filled = bare.evaluate(&fill).await.unwrap();
        assert_eq!(filled[1], "ENOSPC", "{folder}: {filled}");
        let files = filled[0].as_u64().unwrap();
        assert!((most - 10..=most).contains(&files), "{folder}: {files}");
    }
    let groups = bare.control.groups();
    drop(bare);
    ground.close(groups).await;
}

#[tokio::test]
async fn the_size_of_tmp_is_the_functions() {
    let ground = Ground::new();
    for tmp_mb in [1, 3] {
        let mut bare = ground.generic().await;
        bare.bind(&Binding { tmp_mb, ..ground.binding() }).await;
        let written = "(() => { let n = 0; try { for (;; n++) fs.appendFileSync('/tmp/file', Buffer.alloc(65536)); } catch (error) { return [n, error.code]; } })()";
        assert_eq!(bare.evaluate(written).await.unwrap(), json!([tmp_mb * 16, "ENOSPC"]));
    }
    ground.close(Vec::new()).await;
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_told_by_name() {
    let ground = Ground::new();
    let bare = ground.generic().await;
    let missing = ground.folder.path().join("missing");
    let binding = Binding { mounts: vec![(missing.clone(), "/var/task")], ..ground.binding() };
    let error = bare.control.bind(&binding).await.unwrap_err().to_string();
    assert!(error.contains(&format!("open_tree {}", missing.display())), "{error}");
    assert!(error.contains("No such file"), "{error}");
    drop(bare);
    ground.close(Vec::new()).await;
}
