//! `wodctl inventory`: what hosts and groups come to.

use super::Test;

fn inventory() -> Test {
    Test::new()
        .file("hosts/main.yml", "web: {hosts: {web1: {port: 81}, web2: }, vars: {port: 80}}\n")
        .file("hosts/more.ini", "[db]\ndb1\n[site:children]\nweb\ndb\n")
        .file("hosts/group_vars/site.yml", "name: shop\n")
}

#[test]
fn a_graph() {
    let graph = "\
@all:
  |--@ungrouped:
  |--@site:
  |  |--@web:
  |  |  |--web1
  |  |  |--web2
  |  |--@db:
  |  |  |--db1
";
    inventory().args(["inventory", "hosts", "--graph"]).stdout(graph).success();
}

#[test]
fn one_host() {
    let host = "{\n    \"name\": \"shop\",\n    \"port\": 81\n}\n";
    inventory().args(["inventory", "hosts", "--host", "web1"]).stdout(host).success();
}

#[test]
fn a_list() {
    let list = r#"{
    "_meta": {
        "hostvars": {
            "db1": {
                "name": "shop"
            }
        },
        "profile": "inventory_legacy"
    },
    "all": {
        "children": [
            "ungrouped",
            "site"
        ]
    },
    "db": {
        "hosts": [
            "db1"
        ]
    },
    "site": {
        "children": [
            "web",
            "db"
        ]
    }
}
"#;
    inventory().args(["inventory", "hosts", "--list", "--limit", "db"]).stdout(list).success();
}

#[test]
fn a_host_that_there_is_not() {
    inventory()
        .args(["inventory", "hosts", "--host", "web3"])
        .stdout("")
        .stderr(
            "\
error: the inventory has no host or group `web3`
 --> <--host>:1:1
  |
1 | web3
  | ^^^^
  |
  = help: did you mean `web`?
",
        )
        .status(1);
}
