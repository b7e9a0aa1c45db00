"""The look of every page: base templates, components, forms, errors. Knows no business."""
