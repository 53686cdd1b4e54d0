//! The ways in which patches differ from what git would write.

use super::draft::Draft;
use super::random::Random;

mod context;
mod copies;
mod formats;
mod noise;
mod numbers;
mod whitespace;

/// Makes a draft wrong in one way; `false` when that way does not exist for it.
pub(crate) type Perturbation = fn(&mut Draft, &mut Random) -> bool;

/// A kind of patch, and what is done to a right one to make it.
pub(crate) type Kind = (&'static str, &'static [Perturbation]);

/// Every kind, the right ones first.
pub(crate) const KINDS: &[Kind] = &[
    ("clean", &[]),
    ("git_header_missing", &[formats::without_git_line]),
    ("name_lines_missing", &[formats::git_line_only]),
    ("prefixes_missing", &[formats::without_prefixes]),
    ("times_after_names", &[formats::with_times]),
    ("numbers_empty", &[numbers::empty]),
    ("numbers_bare", &[numbers::bare]),
    ("numbers_elided", &[numbers::elided]),
    ("numbers_as_section", &[numbers::section_only]),
    ("numbers_zero", &[numbers::zero]),
    ("numbers_all_one", &[numbers::all_one]),
    ("numbers_shifted", &[numbers::shifted]),
    ("numbers_all_wrong", &[numbers::all_wrong]),
    ("counts_wrong", &[numbers::miscounted]),
    ("counts_missing", &[numbers::without_counts]),
    ("counts_and_numbers_wrong", &[numbers::nonsense]),
    ("header_comment", &[numbers::commented]),
    ("remark_between_hunks", &[noise::remarks]),
    ("leading_context_missing", &[context::without_lead]),
    ("trailing_context_missing", &[context::without_trail]),
    ("context_missing", &[context::without_any]),
    ("context_short_unnumbered", &[context::short, numbers::bare]),
    ("context_elided", &[context::elided]),
    ("hunks_joined_by_ellipsis", &[context::joined]),
    ("stale_edited", &[context::stale_edited]),
    ("stale_edited_unnumbered", &[context::stale_edited, numbers::empty]),
    ("stale_inserted", &[context::stale_inserted]),
    ("stale_removed", &[context::stale_removed]),
    ("stale_removed_anywhere", &[context::stale_removed_anywhere]),
    ("stale_inserted_unnumbered", &[context::stale_inserted, numbers::empty]),
    ("stale_removed_unnumbered", &[context::stale_removed, numbers::empty]),
    ("near_copy", &[copies::near_copy]),
    ("near_copy_unnumbered", &[copies::near_copy, numbers::empty]),
    ("near_copy_numbered", &[copies::number_of_copy]),
    ("near_copy_search_replace", &[copies::near_copy, formats::search_replace]),
    ("place_gone", &[copies::place_gone]),
    ("hunks_reordered", &[copies::reordered]),
    ("context_blank_unmarked", &[context::blank_unmarked]),
    ("context_text_unmarked", &[context::text_unmarked]),
    ("added_blank_unmarked", &[context::added_blank_unmarked]),
    ("indented_by_1", &[whitespace::indented_by_one]),
    ("indented_by_8", &[whitespace::indented_by_eight]),
    ("indented_by_tab", &[whitespace::indented_by_tab]),
    ("indented_by_2_unnumbered", &[whitespace::indented_by_two, numbers::bare]),
    ("indented_by_2", &[whitespace::indented_by_two]),
    ("indented_by_4", &[whitespace::indented_by_four]),
    ("indentation_lost", &[whitespace::outdented]),
    ("indentation_lost_unnumbered", &[whitespace::outdented, numbers::bare]),
    ("tabs_for_blanks", &[whitespace::tabs_for_blanks]),
    ("blanks_for_tabs", &[whitespace::blanks_for_tabs]),
    ("trailing_blanks_in_patch", &[whitespace::trailing_in_patch]),
    ("trailing_blanks_unnumbered", &[whitespace::trailing_in_patch, numbers::bare]),
    ("trailing_blanks_in_file", &[whitespace::trailing_in_file]),
    ("look_alikes_in_patch", &[whitespace::look_alikes_in_patch]),
    ("look_alikes_in_file", &[whitespace::look_alikes_in_file]),
    ("crlf_file_lf_patch", &[whitespace::crlf_file]),
    ("lf_file_crlf_patch", &[whitespace::crlf_patch]),
    ("crlf_file_git_patch", &[whitespace::crlf_everywhere]),
    ("final_newline_missing", &[noise::chomped]),
    ("fenced_with_prose", &[noise::fenced]),
    ("mailed", &[noise::mailed]),
    ("hunk_twice", &[noise::hunk_twice]),
    ("cut_off", &[noise::cut_off]),
    ("envelope", &[formats::envelope]),
    ("envelope_scoped", &[formats::scoped_envelope]),
    ("envelope_trailing_blanks", &[whitespace::trailing_in_patch, formats::envelope]),
    ("envelope_indentation_lost", &[whitespace::outdented, formats::envelope]),
    ("envelope_stale", &[context::stale_edited, formats::envelope]),
    ("search_replace", &[formats::search_replace]),
    ("search_replace_indentation_lost", &[whitespace::outdented, formats::search_replace]),
    ("search_replace_trailing_blanks", &[whitespace::trailing_in_patch, formats::search_replace]),
    ("search_replace_stale", &[context::stale_edited, formats::search_replace]),
];
