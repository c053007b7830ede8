// Starts GOV.UK Frontend's components; without this they stay plain HTML.
import { initAll } from "../built/govuk-frontend.min.js";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
initAll();
