#!/usr/bin/env python3
"""
django-hashes: password hashes as Django makes them, for tests/unit/password.c.

    python3 -m venv DIR && DIR/bin/pip install 'Django==5.2.*' argon2-cffi bcrypt
    DIR/bin/python tests/tools/django-hashes.py >tests/unit/django_hashes.inc

Costs are small, since a test checks each several times; salts are set, so that two runs write the same
but for bcrypt's.
"""
import hashlib
import unicodedata

import django
from django.conf import settings

settings.configure(PASSWORD_HASHERS=['django.contrib.auth.hashers.' + name for name in (
    'ScryptPasswordHasher', 'PBKDF2PasswordHasher', 'PBKDF2SHA1PasswordHasher',
    'Argon2PasswordHasher', 'BCryptSHA256PasswordHasher', 'BCryptPasswordHasher',
    'MD5PasswordHasher')])
django.setup()
from django.contrib.auth import hashers  # noqa: E402

SALT = 'Abcdefghij0123456789xy'
NFC = unicodedata.normalize('NFC', 'Ångström – café')
NFD = unicodedata.normalize('NFD', NFC)
LONG = 'seventy-two bytes and more, which bcrypt alone does not see to the end of it: 7 7 7'


class Argon2(hashers.Argon2PasswordHasher):
    time_cost, memory_cost, parallelism = 2, 1024, 8


class BCryptSHA256(hashers.BCryptSHA256PasswordHasher):
    rounds = 4


class BCrypt(hashers.BCryptPasswordHasher):
    rounds = 4


def argon2i(password):
    """What Django made before 3.2."""
    import argon2
    made = argon2.low_level.hash_secret(password.encode(), SALT.encode(), 2, 512, 2, 32,
                                        argon2.low_level.Type.I)
    return 'argon2' + made.decode()


PBKDF2 = hashers.PBKDF2PasswordHasher()
SHA1 = hashers.PBKDF2SHA1PasswordHasher()
SCRYPT = hashers.ScryptPasswordHasher()
PLAIN = 'telescope time, twice'
VECTORS = [
    ('pbkdf2_sha256', PLAIN, PBKDF2.encode(PLAIN, SALT, 1000)),
    ('pbkdf2_sha256, NFD', NFD, PBKDF2.encode(NFD, SALT, 1000)),
    ('pbkdf2_sha256, NFC', NFC, PBKDF2.encode(NFC, SALT, 1000)),
    ('pbkdf2_sha256, a short salt', PLAIN, PBKDF2.encode(PLAIN, 'seasalt', 1)),
    ('pbkdf2_sha1', PLAIN, SHA1.encode(PLAIN, SALT, 1000)),
    ('argon2id', PLAIN, Argon2().encode(PLAIN, SALT)),
    ('argon2i', PLAIN, argon2i(PLAIN)),
    ('bcrypt_sha256', LONG, BCryptSHA256().encode(LONG, BCryptSHA256().salt())),
    ('bcrypt_sha256, NFD', NFD, BCryptSHA256().encode(NFD, BCryptSHA256().salt())),
    ('bcrypt', PLAIN, BCrypt().encode(PLAIN, BCrypt().salt())),
    ('scrypt, Django\'s cost', PLAIN, SCRYPT.encode(PLAIN, SALT)),
    ('scrypt, NFD', NFD, SCRYPT.encode(NFD, SALT, 1024, 8, 1)),
    ('md5', PLAIN, hashers.MD5PasswordHasher().encode(PLAIN, SALT)),
    ('md5 without a salt', PLAIN, 'md5$$' + hashlib.md5(PLAIN.encode()).hexdigest()),
    ('md5 alone', PLAIN, hashlib.md5(PLAIN.encode()).hexdigest()),
]


def literal(text):
    out, after_hex = '', False
    for byte in text.encode():
        char = chr(byte)
        if byte >= 0x80:
            out += '\\x%02x' % byte
        else:
            out += ('" "' if after_hex and char in '0123456789abcdefABCDEF' else '') + char
        after_hex = byte >= 0x80
    return '"%s"' % out


print('/* Made by tests/tools/django-hashes.py with Django %s. */' % django.__version__)
for name, password, encoded in VECTORS:
    print('{ "%s",\n\t%s,\n\t"%s" },' % (name, literal(password), encoded))
