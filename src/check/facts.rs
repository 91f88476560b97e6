//! The names of facts, and of what says how a host is reached.

/// What `setup` gives, in short. A network interface is a fact too, whose name only the host knows.
const GATHERED: &str = "all_ipv4_addresses all_ipv6_addresses apparmor architecture bios_date bios_vendor bios_version \
    board_asset_tag board_name board_serial board_vendor board_version chassis_asset_tag chassis_serial chassis_vendor \
    chassis_version cmdline date_time default_ipv4 default_ipv6 device_links devices distribution \
    distribution_file_parsed distribution_file_path distribution_file_search_string distribution_file_variety \
    distribution_major_version distribution_minor_version distribution_release distribution_version dns domain \
    effective_group_id effective_user_id env facter facts fibre_channel_wwn fips form_factor fqdn hostname hostnqn \
    interfaces is_chroot iscsi_iqn kernel kernel_version lo loadavg local locally_reachable_ips lsb lvm machine \
    machine_id memfree_mb memory_mb memtotal_mb mounts nodename ohai os_family pkg_mgr proc_cmdline processor \
    processor_cores processor_count processor_nproc processor_threads_per_core processor_vcpus product_name \
    product_serial product_uuid product_version python python_version real_group_id real_user_id selinux \
    selinux_python_present service_mgr ssh_host_key_dsa_public ssh_host_key_ecdsa_public \
    ssh_host_key_ecdsa_public_keytype ssh_host_key_ed25519_public ssh_host_key_ed25519_public_keytype \
    ssh_host_key_rsa_public ssh_host_key_rsa_public_keytype swapfree_mb swaptotal_mb system system_capabilities \
    system_capabilities_enforced system_vendor uptime_seconds user_dir user_gecos user_gid user_id user_shell user_uid \
    userspace_architecture userspace_bits virtualization_role virtualization_tech_guest virtualization_tech_host \
    virtualization_type";

/// Variables by which a host is reached and another user is become; a task sees those that hold for its host.
const CONNECTION: &str = "become become_exe become_flags become_method become_pass become_password become_user connection \
    host password pipelining port private_key_file python_interpreter remote_tmp shell_executable shell_type \
    ssh_args ssh_common_args ssh_extra_args ssh_host ssh_pass ssh_password ssh_pipelining ssh_port \
    ssh_private_key_file ssh_user timeout user";

/// Whether a name is a fact that `setup` gives, or says how a host is reached.
pub(super) fn is_known(name: &str) -> bool {
    let Some(bare) = name.strip_prefix("ansible_") else {
        return matches!(name, "discovered_interpreter_python" | "gather_subset" | "module_setup");
    };
    [GATHERED, CONNECTION].iter().any(|names| names.split_whitespace().any(|known| known == bare))
}

/// Whether a gatherer of facts may bring this name.
pub(super) fn may_be(name: &str) -> bool {
    name.starts_with("ansible_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_known_for_its_beginning() {
        assert!(is_known("ansible_os_family") && is_known("ansible_host"));
        assert!(!is_known("ansible_os_familly") && !is_known("os_family"));
    }
}
