"""Import every module of constructions, so that they register themselves."""

from grammar.constructions import complex, expressions, inquiries, long, pronouns, questions, states, tenses, usual

__all__ = ["complex", "expressions", "inquiries", "long", "pronouns", "questions", "states", "tenses", "usual"]
