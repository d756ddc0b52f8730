import { render } from "preact";
import "./style/base.css";
import "./style/layout.css";
import "./style/parts.css";
import { App } from "./app";
import { forBrowser, told } from "./kept";
import { session } from "./session";
import { language } from "./words";

// A link that brings a key is a new visit.
if (told.has("key")) session.signOut();

document.documentElement.lang = language;
document.documentElement.dataset.theme = told.get("theme") ?? forBrowser.get("postino.theme") ?? "";
render(<App />, document.getElementById("app")!);
