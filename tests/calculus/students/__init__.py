"""Wrong gradients as students write them: the function, the right gradient, the claim, its names.

They were written before the doctor knew them, and none is an edit of a tree (`mutations.py` has
those): each is a slip of a course on machine learning, econometrics, statistics or control.
"""

from tests.calculus.students import (
    classification,
    control,
    courses,
    further,
    further_rules,
    harder,
    held_out,
    held_out_models,
    identities,
    least_squares,
    matrices,
    models,
    networks,
    unseen,
)
from tests.calculus.students.student import Student

STUDENTS: tuple[Student, ...] = (
    *least_squares.STUDENTS,
    *classification.STUDENTS,
    *networks.STUDENTS,
    *matrices.STUDENTS,
    *control.STUDENTS,
    *unseen.STUDENTS,
    *courses.STUDENTS,
    *harder.STUDENTS,
    *held_out.STUDENTS,
    *held_out_models.STUDENTS,
    *models.STUDENTS,
    *identities.STUDENTS,
    *further.STUDENTS,
    *further_rules.STUDENTS,
)

__all__ = ["STUDENTS", "Student"]
