//! All scenes. A scene's name is a sentence; its function tells the story.

mod between;
mod ending;
mod faces;
mod harness;
mod in_use;
mod leaks;
mod limits;
mod manners;
mod policy;
mod proof;
mod races;
mod records;
mod refusals;
mod sessions;
mod storms;

use crate::stage::Stage;

/// Who is pid 1 of the namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// An init that collects the dead.
    Init,
    /// An init that never does.
    CarelessInit,
    /// A client, as in a container made for one.
    Client,
    /// A supervisor, as in a container with several services.
    Supervisor,
}

/// What the namespace needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Namespace {
    /// One user, who is root inside: any user can have that.
    OneUser,
    /// Several users: only root can have that.
    ManyUsers,
}

/// One scene.
#[derive(Debug)]
pub(crate) struct Scene {
    /// A sentence.
    pub(crate) name: &'static str,
    /// The story.
    pub(crate) play: fn(&Stage),
    /// Who is pid 1.
    pub(crate) first: First,
    /// What it needs.
    pub(crate) namespace: Namespace,
    /// The shell gets pid 2, which is a kernel thread on a machine but not in a container.
    pub(crate) low_pids: bool,
}

impl Scene {
    const fn new(name: &'static str, play: fn(&Stage)) -> Scene {
        Scene { name, play, first: First::Init, namespace: Namespace::OneUser, low_pids: false }
    }

    const fn under(mut self, first: First) -> Scene {
        self.first = first;
        self
    }

    const fn with_users(mut self) -> Scene {
        self.namespace = Namespace::ManyUsers;
        self
    }

    const fn with_low_pids(mut self) -> Scene {
        self.low_pids = true;
        self
    }
}

/// Names a scene after its function, so that the two cannot drift apart.
macro_rules! scene {
    ($room:ident::$name:ident) => {
        Scene::new(concat!(stringify!($room), "::", stringify!($name)), $room::$name)
    };
}

/// Every scene there is.
pub(crate) static ALL: &[Scene] = &[
    scene!(harness::a_killed_client_leaves_its_leaky_servers_to_pid_1),
    scene!(harness::an_obedient_server_ends_with_its_client),
    scene!(harness::a_client_reaches_its_servers_over_every_wire),
    scene!(harness::disguises_hold_in_proc),
    scene!(harness::a_number_can_be_used_again),
    scene!(harness::the_dead_stay_zombies_under_a_careless_init).under(First::CarelessInit),
    scene!(leaks::an_orphaned_npx_tree_goes_as_a_whole),
    scene!(leaks::every_launch_style_is_found),
    scene!(leaks::a_stopped_orphan_handles_sigterm),
    scene!(leaks::a_subreaper_adopts_and_is_no_owner),
    scene!(leaks::the_wire_is_found_on_other_descriptors),
    scene!(leaks::hung_up_in_both_directions_is_disconnected),
    scene!(leaks::a_closed_input_is_enough_once_the_owner_is_gone),
    scene!(leaks::children_of_pid_2_in_a_container_are_no_kernel_threads).with_low_pids(),
    scene!(leaks::a_careless_init_does_not_hide_success).under(First::CarelessInit),
    scene!(leaks::the_environment_of_claude_code_names_a_server),
    scene!(leaks::a_stray_holder_of_one_end_saves_as_long_as_it_is_there),
    scene!(leaks::a_browser_that_outlived_its_server_goes),
    scene!(leaks::a_browser_whose_stdio_tells_nothing_stays),
    scene!(leaks::a_launcher_that_respawns_is_asked_first),
    scene!(in_use::a_live_clients_servers_stay_and_still_answer),
    scene!(in_use::a_dead_launcher_does_not_orphan_a_connected_server),
    scene!(in_use::half_a_hang_up_under_a_live_owner_is_not_enough),
    scene!(in_use::a_wire_on_other_descriptors_is_still_a_wire),
    scene!(in_use::a_young_orphan_stays),
    scene!(in_use::a_job_of_the_bash_tool_stays),
    scene!(in_use::a_detached_daemon_stays),
    scene!(in_use::a_client_at_pid_1_is_an_owner).under(First::Client),
    scene!(in_use::a_supervisor_at_pid_1_is_an_owner).under(First::Supervisor),
    scene!(in_use::lookalikes_are_never_touched),
    scene!(in_use::another_users_orphan_is_not_ours_to_end).with_users(),
    scene!(in_use::a_browser_of_the_persons_own_is_not_a_helper),
    scene!(in_use::a_worker_that_holds_both_ends_saves),
    scene!(in_use::a_crash_handler_below_pid_1_stays_with_its_living_server),
    scene!(in_use::mcp_reap_spares_the_processes_above_it),
    scene!(in_use::an_orphaned_client_keeps_its_servers_until_the_person_says_otherwise),
    scene!(proof::a_server_that_serves_on_another_socket_stays_though_its_wire_is_dead),
    scene!(proof::a_client_of_a_datagram_socket_is_use_and_nothing_that_may_be_asked_for_ends_it),
    scene!(proof::the_reader_of_a_pipeline_is_no_client_that_reconnected),
    scene!(proof::a_window_on_a_display_over_tcp_keeps_the_server_above_it),
    scene!(proof::a_pipe_with_a_name_is_a_way_in_that_never_closes),
    scene!(proof::a_terminal_whose_master_is_held_is_use),
    scene!(proof::a_reader_of_stdout_is_use_though_stdin_says_nothing),
    scene!(proof::two_leaked_servers_that_hold_each_others_wires_go),
    scene!(proof::claudes_environment_makes_no_server_of_a_job_on_half_a_wire),
    scene!(proof::a_persons_browser_below_an_orphan_keeps_it),
    scene!(proof::a_persons_programs_keep_a_server_wherever_they_lie),
    scene!(proof::a_shell_line_that_runs_more_is_an_owner_and_one_that_waits_for_its_end_saves),
    scene!(proof::a_wrapper_that_nobody_listed_is_known_by_the_wire_it_passes_on),
    scene!(proof::a_wrapper_that_only_a_configuration_names_goes_with_what_it_runs),
    scene!(ending::a_server_that_ignores_sigterm_is_killed_after_the_grace),
    scene!(ending::several_stubborn_ones_cost_one_grace),
    scene!(ending::an_obedient_tree_costs_no_grace),
    scene!(ending::a_child_born_after_sigterm_goes_too),
    scene!(ending::an_interrupt_closes_the_log_first),
    scene!(ending::a_terminate_closes_the_log_first),
    scene!(ending::a_terminal_that_goes_away_closes_the_log_first),
    scene!(ending::any_other_signal_that_would_end_it_closes_the_log_first),
    scene!(ending::even_a_signal_that_nobody_sends_closes_the_log_first),
    scene!(ending::a_child_born_late_has_a_grace_of_its_own),
    scene!(ending::a_server_that_saves_at_the_end_of_its_input_is_let_finish),
    scene!(ending::a_save_without_end_and_a_busy_loop_are_ended_after_settle),
    scene!(ending::a_server_under_a_debugger_stays_until_it_is_let_go),
    scene!(ending::a_second_run_finds_the_lock_taken),
    scene!(ending::zombies_are_reported_and_never_signalled),
    scene!(races::a_reused_number_is_never_touched),
    scene!(races::a_client_that_comes_back_between_the_looks_saves),
    scene!(races::a_network_client_that_connects_between_the_looks_saves),
    scene!(races::many_orphans_go_at_once),
    scene!(storms::a_thousand_targets_cost_one_grace),
    scene!(storms::under_a_careless_init_a_hundred_dead_are_no_survivors).under(First::CarelessInit),
    scene!(storms::what_a_server_forks_as_it_ends_goes_too),
    scene!(storms::what_a_server_in_its_clients_group_forks_as_it_ends_goes_too),
    scene!(storms::a_loop_in_the_servers_group_keeps_its_jobs),
    scene!(storms::in_a_table_of_few_numbers_no_stranger_is_hit),
    scene!(storms::a_disk_that_fills_up_after_sigterm_keeps_sigkill_back),
    scene!(storms::a_run_killed_in_the_middle_leaves_a_log_that_can_be_read),
    scene!(storms::a_log_moved_away_in_the_middle_keeps_its_record),
    scene!(storms::a_reader_that_leaves_stops_no_run_in_the_middle),
    scene!(limits::of_five_copies_under_one_client_the_three_oldest_go),
    scene!(limits::one_copy_each_under_three_clients_breaks_nothing),
    scene!(limits::without_a_limit_five_copies_stay),
    scene!(limits::other_arguments_and_one_generation_are_no_copies),
    scene!(limits::an_unknown_client_has_copies_too),
    scene!(limits::too_old_and_too_large_are_ended_only_when_asked),
    scene!(between::of_a_gateways_children_the_one_it_forgot_goes),
    scene!(between::a_sandboxed_server_goes_with_the_namespace_that_it_made),
    scene!(between::a_server_in_somebody_elses_namespace_stays),
    scene!(between::wrappers_that_no_list_knows_go_with_their_server),
    scene!(between::a_wrapper_with_a_terminal_of_its_own_goes_with_its_server),
    scene!(between::a_wrapper_that_runs_something_else_too_is_an_owner_and_stays),
    scene!(between::a_client_behind_an_adapter_is_lost_with_it_and_goes_only_when_asked_for),
    scene!(between::a_language_server_that_outlived_its_server_goes),
    scene!(faces::a_clients_conversation_is_named_and_a_stale_file_is_not_believed),
    scene!(policy::the_allowlist_of_the_file_protects_the_whole_instance),
    scene!(policy::the_allowlist_of_the_command_line_protects),
    scene!(policy::a_server_of_the_persons_own_is_found_by_its_client_config),
    scene!(policy::a_server_of_the_persons_own_is_found_by_a_rule),
    scene!(policy::detached_servers_go_only_when_asked),
    scene!(records::a_dry_run_touches_nothing_and_records_nothing),
    scene!(records::the_audit_log_tells_the_story),
    scene!(records::the_audit_log_is_private),
    scene!(records::secrets_do_not_reach_the_log),
    scene!(records::a_recorded_table_gets_the_same_answer),
    scene!(records::a_limit_on_the_size_of_files_leaves_whole_lines_and_sends_nothing_unrecorded),
    scene!(records::a_real_run_reports_every_outcome),
    scene!(refusals::a_broken_configuration_ends_nobody),
    scene!(refusals::an_unknown_key_ends_nobody),
    scene!(refusals::a_configuration_that_others_can_write_ends_nobody),
    scene!(refusals::without_an_audit_folder_nobody_is_ended),
    scene!(refusals::a_read_only_disk_ends_nobody),
    scene!(refusals::an_audit_log_that_is_a_link_ends_nobody),
    scene!(refusals::a_full_disk_ends_nobody_unrecorded),
    scene!(refusals::the_doctor_finds_a_full_disk_and_a_read_only_one_and_leaves_nothing_there),
    scene!(refusals::a_recorded_table_can_never_reap),
    scene!(faces::a_person_who_thinks_holds_nobody_up),
    scene!(faces::check_is_healthy_again_after_a_run),
    scene!(faces::without_descriptors_nothing_is_said_to_have_ended),
    scene!(faces::explain_answers_for_everybody),
    scene!(faces::list_and_dry_run_agree),
    scene!(faces::the_log_tells_people_what_was_ended),
    scene!(faces::strangers_bytes_do_not_reach_the_terminal_raw),
    scene!(faces::a_closed_pipe_is_not_an_error),
    scene!(faces::on_a_terminal_it_shows_the_plan_and_asks),
    scene!(faces::a_hook_never_blocks_its_client),
    scene!(manners::without_a_terminal_it_shows_the_plan_and_ends_nothing),
    scene!(manners::a_stream_that_leads_elsewhere_leaves_nobody_to_ask),
    scene!(manners::what_left_by_itself_after_the_yes_is_named),
    scene!(manners::what_the_second_look_leaves_out_has_an_outcome_in_json),
    scene!(manners::a_young_orphan_comes_with_the_time_to_come_back),
    scene!(manners::a_chosen_server_that_is_in_use_needs_more_than_a_yes_of_nobody),
    scene!(manners::where_all_that_was_chosen_stays_the_exit_code_is_1_with_and_without_a_terminal),
    scene!(manners::what_is_allowed_a_client_or_a_stranger_cannot_be_chosen),
    scene!(manners::a_person_is_told_what_is_in_use_before_the_yes),
    scene!(manners::a_person_picks_from_a_list),
    scene!(manners::a_terminal_gets_the_colors_of_a_message_and_none_that_were_typed),
    scene!(manners::a_signal_that_ends_the_list_is_the_exit_code),
    scene!(manners::what_is_in_use_is_asked_about_after_it_was_picked),
    scene!(manners::a_terminal_without_a_cursor_gets_numbers),
    scene!(manners::without_a_terminal_a_choice_says_what_to_do_instead),
    scene!(manners::a_window_of_three_lines_is_enough_to_choose_in),
    scene!(manners::q_leaves_the_watch_and_the_terminal_is_as_before),
    scene!(sessions::what_a_session_left_goes_after_its_client_and_nothing_else),
    scene!(sessions::a_client_that_lives_on_keeps_everything),
    scene!(sessions::a_session_that_is_cleared_or_resumed_leaves_nothing),
    scene!(sessions::three_sessions_end_at_once),
    scene!(sessions::a_hook_that_was_installed_for_another_client_knows_its_caller),
    scene!(sessions::a_session_shorter_than_min_age_leaves_nothing_either),
    scene!(sessions::servers_with_groups_of_their_own_are_known_from_before),
    scene!(sessions::a_server_that_obeys_is_left_to_end_by_itself),
    scene!(sessions::a_session_that_begins_finds_what_a_crash_left),
    scene!(sessions::a_limit_is_not_for_hooks),
    scene!(sessions::what_the_hook_started_holds_no_wire),
    scene!(sessions::garbage_is_no_reason_to_stop_a_session),
];
