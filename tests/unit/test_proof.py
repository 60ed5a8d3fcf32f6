import pytest

from stayput.proof import UNPROVEN, Check, Proof, ProofCheck, ProofFailed


def proof(*checks):
    return Proof(url="https://site", checks=checks)


def test_a_proof_raises_its_first_failing_check_with_that_check_s_remedy():
    fine, gone = Check(name="health", ok=True, detail="ok"), Check(name="keepsake", ok=False, detail="gone: 404")
    with pytest.raises(ProofFailed, match=r"keepsake: gone: 404.*do not outlive a deploy"):
        proof(fine, gone, Check(name="objects", ok=False, detail="elsewhere")).or_raise()
    assert proof(fine).or_raise().ok


def test_a_check_that_got_no_answer_is_not_told_as_what_it_would_have_found():
    with pytest.raises(ProofFailed, match=r"no answer: timed out.*read its log") as told:
        proof(Check(name="keepsake", ok=False, detail="no answer: timed out")).or_raise()
    assert "outlive" not in str(told.value)


def test_what_is_wrong_is_raised_before_what_could_not_be_proven():
    unproven = Check(name="forged token", ok=False, detail=f"{UNPROVEN}: the site answers 502")
    wrong = ProofCheck(name="page /", ok=False, detail="answers 400", remedy="let it answer under its name")
    with pytest.raises(ProofFailed, match=r"page /: answers 400. Next: let it answer under its name"):
        proof(unproven, wrong).or_raise()
    with pytest.raises(ProofFailed, match=r"forged token: could not be proven.*read its log"):
        proof(unproven).or_raise()
