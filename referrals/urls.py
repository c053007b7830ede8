"""Addresses of the referrals application; a case's is its row number, never its crime reference."""

from django.urls import path

from referrals.views import (
    cases,
    contact,
    flags,
    follow_ups,
    intake,
    my_referrals,
    places,
    review,
    submission,
    trials,
)

urlpatterns = [
    path("import/", intake.import_cases, name="import_cases"),
    path("import/<uuid:import_id>/", intake.import_fates, name="import_fates"),
    path("import/<uuid:import_id>/progress/", intake.import_progress, name="import_progress"),
    path("import/<uuid:import_id>/columns/", intake.import_columns, name="import_columns"),
    path("import/<uuid:import_id>/rejected/", intake.import_rejected, name="import_rejected"),
    path("import/<uuid:import_id>/save/", intake.import_save, name="import_save"),
    path("import/<uuid:import_id>/discard/", intake.import_discard, name="import_discard"),
    path("overnight-review/", review.overnight_review, name="overnight_review"),
    path("overnight-review/<int:case_id>/suitable/", review.mark_suitable, name="mark_suitable"),
    path(
        "overnight-review/<int:case_id>/not-suitable/",
        review.mark_not_suitable,
        name="mark_not_suitable",
    ),
    path("overnight-review/<int:case_id>/clear/", review.clear_decision, name="clear_decision"),
    path("overnight-review/<int:case_id>/safety/", review.set_safety, name="set_safety"),
    path("overnight-review/<int:case_id>/team/", review.choose_team, name="choose_team"),
    path("overnight-review/check/", submission.check_decisions, name="check_decisions"),
    path("overnight-review/submit/", submission.submit_decisions, name="submit_decisions"),
    path(
        "overnight-review/submitted/<int:submission_id>/",
        submission.submitted,
        name="submitted",
    ),
    path("flags/", flags.flag_list, name="flag_list"),
    path("flags/confirm/", flags.confirm_flags, name="confirm_flags"),
    path("flags/removed/", flags.confirm_flags_removed, name="confirm_flags_removed"),
    path("cases/", cases.case_list, name="case_list"),
    path("cases/search/", cases.case_search, name="case_search"),
    path("referrals/", my_referrals.my_referrals, name="my_referrals"),
    path("referrals/<str:number>/", my_referrals.referral, name="referral"),
    path("referrals/<str:number>/take/", my_referrals.take_referral, name="take_referral"),
    path("referrals/<str:number>/return/", my_referrals.return_referral, name="return_referral"),
    path("referrals/<str:number>/changes/read/", my_referrals.read_changes, name="read_changes"),
    path("referrals/<str:number>/contact/", contact.log_contact, name="log_contact"),
    path("referrals/<str:number>/close/", contact.close_referral, name="close_referral"),
    path(
        "referrals/<str:number>/attempts/<int:attempt_id>/withdraw/",
        contact.withdraw_attempt,
        name="withdraw_attempt",
    ),
    path("referrals/<str:number>/remind/", contact.chase_referral, name="chase_referral"),
    path("follow-ups/", follow_ups.follow_up_list, name="follow_up_list"),
    path(
        "follow-ups/<int:follow_up_id>/acknowledge/",
        follow_ups.acknowledge,
        name="acknowledge_follow_up",
    ),
    path("places/", places.place_list, name="place_list"),
    path("trials/", trials.trial_list, name="trial_list"),
]
