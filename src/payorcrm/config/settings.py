"""The one settings file. What differs between installations comes from the environment, through `env`."""

from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF

from payorcrm.config.env import Mode, databases, env, mail_server, mode, secret, secret_list, var_folder

PACKAGE = Path(__file__).resolve().parent.parent
VAR = var_folder()
MODE = mode()
IS_DEMO = MODE is Mode.DEMO
IS_PRODUCTION = MODE is Mode.PRODUCTION
DEBUG = False

SECRET_KEY = secret("SECRET_KEY")
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])
ENCRYPTION_KEYS = secret_list("ENCRYPTION_KEYS")
LINK_KEYS = secret_list("LINK_KEYS")

PUBLIC_URL = env.str("PUBLIC_URL", "http://localhost:8000").rstrip("/")
IS_SECURE = PUBLIC_URL.startswith("https://")
ALLOWED_HOSTS = [urlsplit(PUBLIC_URL).hostname or "localhost", *env.list("ALLOWED_HOSTS", default=[])]
if not IS_PRODUCTION:
    ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]"]

# --- the database -----------------------------------------------------------------------------------------------

DATABASE_URL = env.str("DATABASE_URL", "")
BEHIND_PGBOUNCER = env.bool("DATABASE_BEHIND_PGBOUNCER", default=False)
DATABASE_POOL_SIZE = env.int("DATABASE_POOL_SIZE", 10)
DATABASES = databases(DATABASE_URL, pool_size=DATABASE_POOL_SIZE, behind_pgbouncer=BEHIND_PGBOUNCER)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "django_cache",
        # The tries that rate limits count are kept here. Django's 300 would let a flood of addresses push them out.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# --- applications -----------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "procrastinate.contrib.django",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "heroicons",
    "csp",
    "django_prose_editor",
    "payorcrm.core",
    "payorcrm.ui",
    "payorcrm.merchants",
    "payorcrm.mail",
    "payorcrm.staff",
    "payorcrm.customers",
    "payorcrm.sign_ups",
    "payorcrm.ledger",
    "payorcrm.invoices",
    "payorcrm.payment_methods",
    "payorcrm.payments",
    "payorcrm.reminders",
    "payorcrm.statements",
    "payorcrm.portal",
    "payorcrm.backoffice",
    "payorcrm.webhooks",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.google",
    "payorcrm.portal.session_table.SessionTable",
]
if not IS_PRODUCTION:
    INSTALLED_APPS += ["payorcrm.demo"]
MIDDLEWARE = [
    "payorcrm.ui.middleware.VisitorAddress",
    "payorcrm.ui.middleware.PermissionsPolicy",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "payorcrm.ui.csrf.CsrfCheck",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "payorcrm.portal.user_sessions.LastSeen",
    "payorcrm.portal.invited.FirstSignIn",
    "payorcrm.ui.language.PageLanguage",
    "payorcrm.ui.middleware.ErrorPages",
]
ROOT_URLCONF = "payorcrm.config.urls"
WSGI_APPLICATION = "payorcrm.config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "payorcrm.ui.context.site",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "heroicons.templatetags.heroicons",
                "payorcrm.ui.templatetags.ui",
            ],
        },
    }
]
FORM_RENDERER = "payorcrm.ui.forms.FormRenderer"

# --- jobs -------------------------------------------------------------------------------------------------------

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"

# --- people and sign-in -----------------------------------------------------------------------------------------

AUTH_USER_MODEL = "core.User"
SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # a unique index on lower(email) does what the check asks for
AUTHENTICATION_BACKENDS = [
    "allauth.account.auth_backends.AuthenticationBackend",
    "payorcrm.portal.invited.InvitationBackend",
]
PASSWORD_RESET_TIMEOUT = 3600
if MODE is Mode.TEST:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_ADAPTER = "payorcrm.portal.adapters.SignIn"
ACCOUNT_FORMS = {"reset_password": "payorcrm.merchants.forgotten_password.ForgottenPasswordForm"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # a form that anyone can fill in writes to nobody who is not a user
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if IS_SECURE else "http"
# Beside allauth's own limits; the key is the e-mail address that was typed.
ACCOUNT_RATE_LIMITS = {
    # Generous for an address: whoever knows one could otherwise keep its owner out with five wrong passwords.
    "login_failed": "20/m/ip,20/5m/key",
    "ask_for_access": "10/m/ip,5/h/key",
    "sign_up": "20/h/ip,5/h/key",
    "open_sign_up": "20/m/ip,20/h/key",
    "choose_password": "20/m/ip",
    "try_sender": "5/m/key,60/h/key",  # of a merchant
    "mailed_pdf": "120/m/ip,60/m/key",  # of a mail
    "add_method": "20/h/key",  # of a customer, against trying out stolen cards
}
# Whether a business may sign itself up at /signup/; elsewhere `payorcrm add-merchant` adds it.
PUBLIC_SIGN_UP = env.bool("PUBLIC_SIGN_UP", default=not IS_PRODUCTION)
# So many mails to customers may it send on a day over our server, until the operator trusts it or it has its own.
NEW_ACCOUNT_MAILS_PER_DAY = env.int("NEW_ACCOUNT_MAILS_PER_DAY", 200)
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/home/"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
MFA_ADAPTER = "payorcrm.portal.adapters.SecondStep"
MFA_FORMS = {"add_webauthn": "payorcrm.portal.sign_in_forms.PasskeyForm"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # nobody registers an address themselves: every one was reached by an invitation
MFA_TOTP_ISSUER = "PayorCRM"
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODE_COUNT = 10
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_SECURE  # a demo runs on http://localhost
GOOGLE_CLIENT_ID = env.str("GOOGLE_CLIENT_ID", "")
GOOGLE_CLIENT_SECRET = env.str("GOOGLE_CLIENT_SECRET", "")
HAS_GOOGLE = bool(GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET)
SOCIALACCOUNT_ADAPTER = "payorcrm.portal.adapters.Google"
SOCIALACCOUNT_PROVIDERS = {
    "google": {
        "APPS": [{"client_id": GOOGLE_CLIENT_ID, "secret": GOOGLE_CLIENT_SECRET}] if HAS_GOOGLE else [],
        "OAUTH_PKCE_ENABLED": True,
    }
}

# --- mail -------------------------------------------------------------------------------------------------------

MAIL_SERVER = mail_server(env.str("EMAIL_URL", ""))
MAIL_FROM = env.str("MAIL_FROM", "billing@payorcrm.example" if not IS_PRODUCTION else "")
DEFAULT_FROM_EMAIL = MAIL_FROM
EMAIL_BACKEND = "payorcrm.mail.backend.OutboxBackend"
# Where merchants' own mail servers may be beside public addresses: networks such as 10.1.2.0/24.
MERCHANT_MAIL_NETWORKS = env.list("MERCHANT_MAIL_NETWORKS", default=[] if IS_PRODUCTION else ["127.0.0.0/8", "::1/128"])
# A worker that claimed a mail this long ago is taken for dead; another one sends what it had not handed over.
MAIL_STUCK_AFTER_SECONDS = env.float("MAIL_STUCK_AFTER_SECONDS", 600.0)

# Which provider the mail server belongs to, if it reports bounces and complaints; the secret proves that it is they.
MAIL_EVENTS_PROVIDER = env.str("MAIL_EVENTS_PROVIDER", "")
MAIL_EVENTS_SECRET = env.str("MAIL_EVENTS_SECRET", "")

# --- money ------------------------------------------------------------------------------------------------------

PAYMENT_GATEWAYS = {"sandbox": "payorcrm.gateways.sandbox.gateway.SandboxGateway"}
ALLOW_SANDBOX = env.bool("ALLOW_SANDBOX", default=False)
# Whether a merchant may be connected to a processor that moves no real money.
IS_REHEARSAL = ALLOW_SANDBOX or not IS_PRODUCTION
SANDBOX_URL = env.str("SANDBOX_URL", "http://localhost:8010").rstrip("/")
SANDBOX_ADMIN_KEY = secret("SANDBOX_ADMIN_KEY")
GATEWAY_TIMEOUT_SECONDS = env.float("GATEWAY_TIMEOUT_SECONDS", 20.0)
# A request that a killed process had sent may still arrive; nothing is called "not sent" before this has passed.
RESOLVE_GRACE_SECONDS = env.float("RESOLVE_GRACE_SECONDS", 90.0)
CLOCK_OFFSET_SECONDS = env.float("PAYORCRM_CLOCK_OFFSET", 0.0)

# --- browsers ---------------------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF, SANDBOX_URL, *(["https://accounts.google.com"] if HAS_GOOGLE else [])],
        "frame-src": [SANDBOX_URL],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if IS_SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_SECURE
SECURE_SSL_REDIRECT = IS_SECURE
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_TLS_PROXY", default=False) else None
# Proxies in front that add to X-Forwarded-For: rate limits and proofs of consent want the visitor's own address.
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", 1 if SECURE_PROXY_SSL_HEADER else 0)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_SECURE
SESSION_COOKIE_NAME = "__Host-session" if IS_SECURE else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if IS_SECURE else "csrf"
ENTRANCE_COOKIE_NAME = "__Host-entrance" if IS_SECURE else "entrance"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # no cookie more
CSRF_COOKIE_HTTPONLY = True  # forms carry the token; no script reads the cookie
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
CSRF_FAILURE_VIEW = "payorcrm.ui.views.csrf_failure"

# A customer may choose ten thousand invoices one by one; each is a field of the form.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if MODE is not Mode.TEST
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = MODE is Mode.TEST
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# --- language and time ------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
# Pages of these are for staff and machines, who are addressed in English.
ENGLISH_NAMESPACES = {"backoffice", "sign_up", "joining", "demo", "webhooks"}
LOCALE_PATHS = [PACKAGE / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "WARNING")},
}
