"""Addresses of the referrals application; a case's is its row number, never its crime reference."""

from django.urls import path

from referrals.cases import views as cases
from referrals.compliance import views as compliance
from referrals.contact.views import attempts, follow_ups, my_referrals
from referrals.crime_record import views as flags
from referrals.intake import views as intake
from referrals.places import views as places
from referrals.review.views import refer_now, review, submission
from referrals.trial.views import controls, deviations, progress, steps, trials, wards

urlpatterns = [
    path("import/", intake.import_cases, name="import_cases"),
    path("import/<uuid:import_id>/", intake.import_preview, name="import_preview"),
    path("import/<uuid:import_id>/progress/", intake.import_progress, name="import_progress"),
    path("import/<uuid:import_id>/columns/", intake.import_columns, name="import_columns"),
    path("import/<uuid:import_id>/rejected/", intake.import_rejected, name="import_rejected"),
    path("import/<uuid:import_id>/save/", intake.import_save, name="import_save"),
    path("import/<uuid:import_id>/discard/", intake.import_discard, name="import_discard"),
    path("overnight-review/", review.overnight_review, name="overnight_review"),
    path("overnight-review/<record:case_id>/suitable/", review.mark_suitable, name="mark_suitable"),
    path(
        "overnight-review/<record:case_id>/not-suitable/",
        review.mark_not_suitable,
        name="mark_not_suitable",
    ),
    path("overnight-review/<record:case_id>/refer-now/", review.mark_refer_now, name="mark_refer_now"),
    path("overnight-review/<record:case_id>/clear/", review.clear_decision, name="clear_decision"),
    path("overnight-review/<record:case_id>/safety/", review.set_safety, name="set_safety"),
    path("overnight-review/<record:case_id>/questions/", review.answer_questions, name="answer_questions"),
    path("overnight-review/<record:case_id>/team/", review.choose_team, name="choose_team"),
    path("overnight-review/check/", submission.check_decisions, name="check_decisions"),
    path("overnight-review/submit/", submission.submit_decisions, name="submit_decisions"),
    path(
        "overnight-review/submitted/<record:submission_id>/",
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
    path("referrals/<str:number>/contact/", attempts.log_contact, name="log_contact"),
    path("referrals/<str:number>/close/", attempts.close_referral, name="close_referral"),
    path(
        "referrals/<str:number>/attempts/<record:attempt_id>/withdraw/",
        attempts.withdraw_attempt,
        name="withdraw_attempt",
    ),
    path("referrals/<str:number>/remind/", attempts.chase_referral, name="chase_referral"),
    path("follow-ups/", follow_ups.follow_up_list, name="follow_up_list"),
    path(
        "follow-ups/<record:follow_up_id>/acknowledge/",
        follow_ups.acknowledge,
        name="acknowledge_follow_up",
    ),
    path("compliance/", compliance.compliance, name="compliance"),
    path("compliance/wards/<str:code>/", compliance.compliance_ward, name="compliance_ward"),
    path("compliance/chart.svg", compliance.compliance_chart, name="compliance_chart"),
    path("places/", places.place_list, name="place_list"),
    path("people/", places.person_list, name="person_list"),
    path("trials/", trials.trial_list, name="trial_list"),
    path("trials/new/", trials.new_trial, name="new_trial"),
    path("trials/power/", trials.trial_power, name="trial_power"),
    path("trials/<record:trial_id>/", trials.trial, name="trial"),
    path("trials/<record:trial_id>/design/", trials.design_trial, name="design_trial"),
    path("trials/<record:trial_id>/approvals/<str:kind>/", trials.approve_trial, name="approve_trial"),
    path("trials/<record:trial_id>/registrars/", trials.name_registrars, name="name_registrars"),
    path(
        "trials/<record:trial_id>/registrars/<record:registrar_id>/remove/",
        trials.remove_registrar,
        name="remove_registrar",
    ),
    path("trials/<record:trial_id>/bundle/", trials.trial_bundle, name="trial_bundle"),
    path("trials/<record:trial_id>/propose/", steps.propose_trial, name="propose_trial"),
    path("trials/<record:trial_id>/seal/", steps.seal_trial, name="seal_trial"),
    path("trials/<record:trial_id>/could-find/", steps.could_find, name="trial_could_find"),
    path("trials/<record:trial_id>/open/", steps.open_trial, name="open_trial"),
    path("trials/<record:trial_id>/pause/", steps.pause_trial, name="pause_trial"),
    path("trials/<record:trial_id>/resume/", steps.resume_trial, name="resume_trial"),
    path("trials/<record:trial_id>/close/", steps.close_trial, name="close_trial"),
    path("trials/<record:trial_id>/reveal/", steps.reveal_trial, name="reveal_trial"),
    path("trials/<record:trial_id>/delete/", steps.delete_trial, name="delete_trial"),
    path("trials/<record:trial_id>/progress/", progress.trial_progress, name="trial_progress"),
    path("trials/<record:trial_id>/wards/", wards.trial_wards, name="trial_wards"),
    path("trials/<record:trial_id>/wards/set/", wards.set_wards, name="set_trial_wards"),
    path("trials/<record:trial_id>/wards/roll-out/", wards.roll_out, name="plan_roll_out"),
    path("trials/<record:trial_id>/controls/", controls.controls, name="controls"),
    path("cases/<record:case_id>/refer-now/", refer_now.refer_now, name="refer_now"),
    path("cases/<record:case_id>/deviation/", deviations.record_deviation, name="record_deviation"),
    path(
        "cases/<record:case_id>/deviation/<record:deviation_id>/withdraw/",
        deviations.withdraw_deviation,
        name="withdraw_deviation",
    ),
]
