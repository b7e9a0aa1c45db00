"""Forms drawn with the project's own templates: label, help, error, all tied to their field."""

from django.forms.renderers import DjangoTemplates


class FormRenderer(DjangoTemplates):
    """The setting `FORM_RENDERER`."""

    form_template_name = "ui/form.html"
    field_template_name = "ui/field.html"
