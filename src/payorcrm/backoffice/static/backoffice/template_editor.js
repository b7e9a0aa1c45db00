// The visual editor of a reminder's text. Fields and conditions are chips; a text that cannot be shown without changing
// it stays as HTML. The library is imported by its address, so that the page needs no import map and no inline script.

const form = document.querySelector("form[data-editor]");
const source = form.elements.body;
const toolbar = form.querySelector("[data-toolbar]");
if (toolbar) await start();

async function start() {
  const { subject } = form.elements;
  const library = await import(form.dataset.library);
  const { Editor, Extension, InputRule, Mark, Node, PasteRule } = library;

  // --- fields and conditions --------------------------------------------------------------------------------------

  const TOKEN = /\{\{[\s\S]*?\}\}|\{%[\s\S]*?%\}/g;
  const FIRST_MARK = 0xf0000; // characters for private use stand for tokens while HTML is taken apart
  const nameOf = (token) => token.match(/^\{\{-?\s*(\w+)\s*-?\}\}$/)?.[1];
  const menu = new Map([...toolbar.querySelectorAll("[data-insert]")].map((item) => [nameOf(item.dataset.insert), item]));
  const standsAlone = (token) => token.startsWith("{%") || menu.get(nameOf(token))?.matches("[data-block]");
  const labelOf = (token) => menu.get(nameOf(token))?.textContent ?? token.slice(2, -2).replace(/^-|-$/g, "").trim();

  // --- between the HTML of a template and that of the editor ------------------------------------------------------

  const INLINE = new Set(["A", "B", "BR", "EM", "I", "IMG", "S", "SMALL", "SPAN", "STRONG", "SUB", "SUP", "U"]);
  const isInline = (node) => node.nodeType === 3 || INLINE.has(node.nodeName);
  const isBlank = (node) => node.nodeType === 3 && !node.data.trim();
  // The page's policy forbids styles in what is parsed, so that they have another name meanwhile.
  const TAG = /<[a-z](?:"[^"]*"|'[^']*'|[^'">])*>/gi;
  const inTags = (html, found, put) => html.replace(TAG, (tag) => tag.replace(found, put));
  const parse = (html) =>
    new DOMParser().parseFromString(inTags(html, /\sstyle\s*=/gi, " data-style="), "text/html").body;

  const read = (html) => {
    const tokens = [];
    const body = parse(html.replace(TOKEN, (token) => String.fromCodePoint(FIRST_MARK + tokens.push(token) - 1)));
    return { body, tokens };
  };
  const write = (html, tokens) =>
    inTags(html, / data-style=/g, " style=").replace(/[\u{f0000}-\u{ffffd}]/gu, (mark) => tokens[mark.codePointAt(0) - FIRST_MARK]);
  const tokensOf = (node, tokens) =>
    [...node.textContent.matchAll(/[\u{f0000}-\u{ffffd}]/gu)].map(([mark]) => tokens[mark.codePointAt(0) - FIRST_MARK]);

  // What stands at the top without a paragraph gets one, because the editor knows nothing else.
  const wrapLoose = (body, tokens) => {
    let paragraph;
    const open = (before) => {
      paragraph = document.createElement("p");
      before.before(paragraph);
    };
    const isAlone = (node) => node.nodeType === 3 && tokensOf(node, tokens).some(standsAlone);
    for (const node of [...body.childNodes]) {
      if (node.nodeType === 3) {
        const parts = node.data.split(/([\u{f0000}-\u{ffffd}])/u).filter(Boolean);
        node.replaceWith(...parts.map((part) => document.createTextNode(part)));
      }
    }
    for (const node of [...body.childNodes]) {
      if (!isInline(node) || isAlone(node)) paragraph = null;
      if (!isInline(node) || (isBlank(node) && !paragraph)) continue;
      if (!paragraph) open(node);
      const own = paragraph;
      own.append(node);
      if (isAlone(node)) paragraph = null;
    }
  };

  // Paragraphs that the editor needs and a mail does not: around what makes its own, and in items and quotations.
  const unwrap = (body, tokens) => {
    for (const p of body.querySelectorAll("p:not([data-style], [align])")) {
      const found = tokensOf(p, tokens);
      const isBare = !p.children.length && !p.textContent.replace(/[\u{f0000}-\u{ffffd}]/gu, "").trim();
      if (found.length && isBare && found.every(standsAlone)) p.replaceWith(...p.childNodes);
    }
    for (const p of body.querySelectorAll("li > p:not([data-style], [align]):first-child")) {
      if ([...p.parentElement.children].every((each) => each === p || /^[UO]L$/.test(each.nodeName))) {
        p.replaceWith(...p.childNodes);
      }
    }
    for (const p of body.querySelectorAll("blockquote > p:only-child:not([data-style], [align])")) p.replaceWith(...p.childNodes);
  };

  const toEditor = (html) => {
    const { body, tokens } = read(html);
    wrapLoose(body, tokens);
    const walker = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) texts.push(walker.currentNode);
    for (const text of texts) {
      const parts = text.data.split(/([\u{f0000}-\u{ffffd}])/u);
      if (parts.length < 2) continue;
      text.replaceWith(
        ...parts.map((part, place) => {
          if (place % 2 === 0) return part;
          const chip = document.createElement("span");
          chip.dataset.token = tokens[part.codePointAt(0) - FIRST_MARK];
          return chip;
        }),
      );
    }
    return body.innerHTML;
  };

  const fromEditor = (html) => {
    const body = parse(inTags(html, / style="[^"]*"/g, ""));
    const tokens = [];
    for (const chip of body.querySelectorAll("span[data-token]")) {
      chip.replaceWith(String.fromCodePoint(FIRST_MARK + tokens.push(chip.dataset.token) - 1));
    }
    unwrap(body, tokens);
    const pieces = [...body.childNodes].map((node) => node.outerHTML ?? node.textContent);
    return write(pieces.join("\n"), tokens);
  };

  // Two texts are the same when mails of them are; only spaces between elements and the order of attributes may differ.
  const BLOCK_EDGE = /\s*(<\/?(?:p|h[1-4]|ul|ol|li|blockquote|hr)\b[^>]*>)\s*/g;
  const probe = document.createElement("i");
  const canonical = (html) => {
    const { body, tokens } = read(html);
    wrapLoose(body, tokens);
    unwrap(body, tokens);
    for (const each of body.querySelectorAll("*")) {
      if (each.dataset.style) {
        probe.style.cssText = each.dataset.style;
        each.dataset.style = probe.style.cssText;
      }
      const sorted = [...each.attributes].sort((one, two) => (one.name < two.name ? -1 : 1));
      for (const { name } of sorted) each.removeAttribute(name);
      for (const { name, value } of sorted) each.setAttribute(name, value);
    }
    const plain = body.innerHTML.replace(/<(\/?)b>/g, "<$1strong>").replace(/<(\/?)i>/g, "<$1em>");
    const spaced = plain.replace(/[ \t\r\n]+/g, " ").replace(BLOCK_EDGE, "$1").trim();
    return write(spaced.replace(/ *([\u{f0000}-\u{ffffd}]) *(?=[\u{f0000}-\u{ffffd}<]|$)/gu, "$1"), tokens);
  };
  const outline = (html) =>
    html.match(/[\u{f0000}-\u{ffffd}]|<\/?[a-z][a-z0-9]*/giu)?.map((each) => each.toLowerCase()).join(" ");
  const parsesAsWritten = (html) => {
    const marked = html.replace(TOKEN, String.fromCodePoint(FIRST_MARK));
    return outline(marked) === outline(parse(marked).innerHTML);
  };

  // --- what the editor knows --------------------------------------------------------------------------------------

  const attribute = (name) => ({
    default: null,
    parseHTML: (element) => element.getAttribute(name === "style" ? "data-style" : name),
    renderHTML: ({ [name]: value }) =>
      value === null ? {} : name === "style" ? { "data-style": value, style: value } : { [name]: value },
  });
  const attributes = (...names) => Object.fromEntries(names.map((name) => [name, attribute(name)]));
  const kept = (name, tag, ...names) =>
    Mark.create({
      name,
      addAttributes: () => attributes(...names),
      parseHTML: () => [{ tag }],
      renderHTML: ({ HTMLAttributes }) => [tag.replace(/\[.*/, ""), HTMLAttributes, 0],
    });
  const chipView = (label, looks) => {
    const dom = document.createElement("span");
    dom.className = `field-chip ${looks}`;
    dom.contentEditable = "false";
    dom.textContent = label;
    return { dom };
  };
  // A chip goes as a whole, whichever way one deletes.
  const deleteBeside = (editor, side) =>
    editor.commands.command(({ state, tr }) => {
      const { empty, $anchor } = state.selection;
      const chip = side < 0 ? $anchor.nodeBefore : $anchor.nodeAfter;
      if (!empty || !["field", "picture"].includes(chip?.type.name)) return false;
      tr.delete($anchor.pos + Math.min(0, side * chip.nodeSize), $anchor.pos + Math.max(0, side * chip.nodeSize));
      return true;
    });

  const Field = Node.create({
    name: "field",
    group: "inline",
    inline: true,
    atom: true,
    draggable: true,
    addAttributes: () => ({
      token: {
        default: "",
        parseHTML: (element) => element.dataset.token,
        renderHTML: ({ token }) => ({ "data-token": token }),
      },
    }),
    parseHTML: () => [{ tag: "span[data-token]", priority: 100 }],
    renderHTML: ({ HTMLAttributes }) => ["span", HTMLAttributes],
    renderText: ({ node }) => node.attrs.token,
    addNodeView: () => ({ node }) => {
      const { token } = node.attrs;
      const isKnown = menu.has(nameOf(token));
      return chipView(labelOf(token), isKnown ? (standsAlone(token) ? "block" : "") : token.startsWith("{%") ? "condition" : "unknown");
    },
    addKeyboardShortcuts() {
      return {
        Backspace: () => deleteBeside(this.editor, -1),
        Delete: () => deleteBeside(this.editor, 1),
      };
    },
    // Braces that are typed or pasted become chips, too.
    addInputRules() {
      const handler = ({ state, range, match }) =>
        void state.tr.replaceWith(range.from, range.to, this.type.create({ token: match[0] }));
      return [new InputRule({ find: /(?:\{\{[^{}]*\}\}|\{%[^{}]*%\})$/, handler })];
    },
    addPasteRules() {
      const handler = ({ state, range, match }) =>
        void state.tr.replaceWith(range.from, range.to, this.type.create({ token: match[0] }));
      return [new PasteRule({ find: /\{\{[^{}]*\}\}|\{%[^{}]*%\}/g, handler })];
    },
  });
  const Picture = Node.create({
    name: "picture",
    group: "inline",
    inline: true,
    atom: true,
    draggable: true,
    addAttributes: () => attributes("src", "alt", "title", "width", "height", "style"),
    parseHTML: () => [{ tag: "img" }],
    renderHTML: ({ HTMLAttributes }) => ["img", HTMLAttributes],
    // The picture itself is not loaded: the page's policy allows none from elsewhere.
    addNodeView: () => ({ node }) => chipView(`Picture: ${node.attrs.alt || node.attrs.src}`, "picture"),
  });
  const Looks = Extension.create({
    name: "looks",
    addGlobalAttributes: () => [
      { types: ["paragraph", "heading", "blockquote", "listItem", "bulletList", "orderedList"], attributes: attributes("style", "align") },
    ],
  });
  // Tab must lead out of the editor, also out of a list.
  const ListItem = library.ListItem.extend({
    addKeyboardShortcuts() {
      return { Enter: () => this.editor.commands.splitListItem(this.name) };
    },
  });
  const Link = kept("link", "a[href]", "href", "title").extend({
    inclusive: false,
    addKeyboardShortcuts: () => ({ "Mod-k": () => void editLink() || true }),
  });
  const OrderedList = library.BulletList.extend({
    name: "orderedList",
    parseHTML: () => [{ tag: "ol" }],
    renderHTML: ({ HTMLAttributes }) => ["ol", HTMLAttributes, 0],
    addCommands: () => ({ toggleOrderedList: () => ({ commands }) => commands.toggleList("orderedList", "listItem") }),
    addKeyboardShortcuts: () => ({}),
    addInputRules: () => [],
  });

  const holder = document.createElement("div");
  source.before(holder);
  const editor = new Editor({
    element: holder,
    injectCSS: false, // the page's own style sheet has it
    extensions: [
      library.Document, library.Paragraph, library.Text, library.HardBreak, library.Blockquote, library.HorizontalRule,
      library.Heading.configure({ levels: [1, 2, 3, 4] }), library.BulletList, OrderedList, ListItem, library.History,
      library.Bold, library.Italic, library.Underline, library.Strike, library.Subscript, library.Superscript,
      kept("small", "small", "style"), kept("styled", "span[data-style]", "style"), Link, Field, Picture, Looks,
    ],
    editorProps: {
      attributes: { "role": "textbox", "aria-multiline": "true", "aria-labelledby": "body-label", "class": "writing-area" },
    },
    onUpdate: () => {
      source.value = fromEditor(editor.getHTML());
      source.dispatchEvent(new Event("input", { bubbles: true }));
    },
    onTransaction: () => refresh(),
  });

  // --- which of both is in view -----------------------------------------------------------------------------------

  const notice = form.querySelector("[data-notice]");
  const htmlButton = toolbar.querySelector("[data-html]");
  let isVisual = false;

  const show = (visual) => {
    isVisual = visual;
    holder.hidden = !visual;
    source.hidden = visual;
    htmlButton.setAttribute("aria-pressed", String(!visual));
    for (const control of toolbar.querySelectorAll("[data-command], [data-kind]")) control.disabled = !visual;
    refresh();
  };
  const canShow = () => {
    const { value } = source;
    if (!parsesAsWritten(value)) return false;
    // Undoing must not lead back to an empty text.
    editor.chain().setMeta("addToHistory", false).setContent(toEditor(value), { emitUpdate: false }).run();
    return canonical(value) === canonical(fromEditor(editor.getHTML()));
  };
  const openVisual = () => {
    const possible = canShow();
    notice.hidden = possible;
    notice.textContent = "This text has HTML that the visual editor would change. It stays as it is: edit it here as HTML.";
    show(possible);
  };
  htmlButton.addEventListener("click", () => {
    if (isVisual) show(false);
    else openVisual();
    (isVisual ? editor.view : source).focus();
  });

  // --- the toolbar ------------------------------------------------------------------------------------------------

  const kind = toolbar.querySelector("[data-kind]");
  // The editor's own focus command waits for a frame, and a quick hand types into the button meanwhile.
  const chain = () => {
    editor.view.focus();
    return editor.chain();
  };
  function refresh() {
    if (!htmlButton || !isVisual) return;
    for (const button of toolbar.querySelectorAll("[data-command][aria-pressed]")) {
      button.setAttribute("aria-pressed", String(editor.isActive(button.dataset.command)));
    }
    kind.value = String([1, 2, 3, 4].find((level) => editor.isActive("heading", { level })) ?? 0);
  }

  const ask = (name, values) => {
    const dialog = document.querySelector(`[data-dialog="${name}"]`);
    const { elements } = dialog.querySelector("form");
    for (const [field, value] of Object.entries(values)) elements[field].value = value;
    dialog.returnValue = "cancel";
    dialog.showModal();
    return new Promise((answer) =>
      dialog.addEventListener("close", () => {
        const given = Object.fromEntries(Object.keys(values).map((field) => [field, elements[field].value.trim()]));
        answer(dialog.returnValue === "ok" ? given : null);
      }, { once: true }),
    );
  };
  const editLink = async () => {
    const present = editor.getAttributes("link").href ?? "";
    const given = await ask("link", { href: present });
    if (given?.href && editor.state.selection.empty && !present) {
      chain().insertContent({ type: "text", text: given.href, marks: [{ type: "link", attrs: given }] }).run();
    } else if (given?.href) chain().extendMarkRange("link").setMark("link", given).run();
    else if (given) chain().extendMarkRange("link").unsetMark("link").run();
    else editor.view.focus();
  };
  const addPicture = async () => {
    const given = await ask("picture", { src: "", alt: "" });
    if (given) chain().insertContent({ type: "picture", attrs: given }).run();
    else editor.view.focus();
  };
  const commands = {
    bold: () => chain().toggleMark("bold").run(),
    italic: () => chain().toggleMark("italic").run(),
    link: editLink,
    bulletList: () => chain().toggleBulletList().run(),
    orderedList: () => chain().toggleOrderedList().run(),
    blockquote: () => chain().toggleBlockquote().run(),
    picture: addPicture,
    rule: () => chain().setHorizontalRule().run(),
    undo: () => chain().undo().run(),
    redo: () => chain().redo().run(),
  };

  let place = source;
  subject.addEventListener("focus", () => (place = subject));
  for (const each of [source, holder]) each.addEventListener("focusin", () => (place = source));

  const insert = (token) => {
    if (place === subject || !isVisual) {
      place.focus();
      place.setRangeText(token, place.selectionStart, place.selectionEnd, "end");
      place.dispatchEvent(new Event("input", { bubbles: true }));
    } else chain().insertContent(spaced({ type: "field", attrs: { token } })).run();
  };
  // Two values that touch would be read as one word.
  const spaced = (field) => {
    const { $from, $to } = editor.state.selection;
    const touches = (node) => node?.type.name === "field" && !standsAlone(node.attrs.token) && !standsAlone(field.attrs.token);
    const space = { type: "text", text: " " };
    return [...(touches($from.nodeBefore) ? [space] : []), field, ...(touches($to.nodeAfter) ? [space] : [])];
  };

  toolbar.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (!button) return;
    commands[button.dataset.command]?.();
    if (button.dataset.insert) {
      button.closest("details").open = false;
      insert(button.dataset.insert);
    }
  });
  kind.addEventListener("change", () => {
    const level = Number(kind.value);
    (level ? chain().setHeading({ level }) : chain().setParagraph()).run();
  });
  kind.addEventListener("input", (event) => event.stopPropagation());

  // One stop of the Tab key; arrows lead along the toolbar and through the open menu.
  const stops = [...toolbar.querySelectorAll("summary, select, :scope > button")];
  const rest = (stop) => {
    for (const each of stops) each.tabIndex = each === stop ? 0 : -1;
  };
  rest(stops[0]);
  const move = (list, from, step) => {
    const open = list.filter((each) => !each.disabled);
    const next = open[(open.indexOf(from) + step + open.length) % open.length];
    next.focus();
    return next;
  };
  toolbar.addEventListener("focusin", ({ target }) => stops.includes(target) && rest(target));
  toolbar.addEventListener("keydown", (event) => {
    const { key, target } = event;
    const details = target.closest("details");
    const items = details?.open ? [...details.querySelectorAll("button")] : [];
    if (items.length && ["ArrowDown", "ArrowUp"].includes(key)) move(items, target, key === "ArrowDown" ? 1 : items.includes(target) ? -1 : 0);
    else if (stops.includes(target) && ["ArrowRight", "ArrowLeft"].includes(key)) move(stops, target, key === "ArrowRight" ? 1 : -1);
    else if (key === "Escape" && !details?.open && isVisual) editor.view.focus();
    else return;
    event.preventDefault();
  });
  holder.addEventListener("keydown", (event) => {
    if (event.key !== "F10" || !event.altKey) return;
    event.preventDefault();
    stops.find((each) => each.tabIndex === 0).focus();
  });
  document.querySelector("#body-label").addEventListener("click", () => isVisual && editor.view.focus());

  // --- nothing that was typed is lost by leaving ------------------------------------------------------------------

  let isChanged = false;
  form.addEventListener("input", ({ target }) => (isChanged ||= ["name", "subject", "body"].includes(target.name)));
  form.addEventListener("submit", ({ submitter }) => (isChanged &&= Boolean(submitter?.formTarget)));
  addEventListener("beforeunload", (event) => isChanged && event.preventDefault());

  // Whoever went to the text before the editor was there goes on writing in the editor.
  const isWriting = document.activeElement === source;
  toolbar.hidden = false;
  openVisual();
  if (isWriting && isVisual) editor.view.focus();
}
