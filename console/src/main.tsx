import { render } from "preact";
import "./style/base.css";
import "./style/layout.css";
import "./style/parts.css";
import { App } from "./app";
import { language } from "./words";

document.documentElement.lang = language;
document.documentElement.dataset.theme = localStorage.getItem("postino.theme") ?? "";
render(<App />, document.getElementById("app")!);
