/*
 * Meridian: comforts. Every page works without this file.
 */
"use strict";

(function () {
	/* a summary of mistakes takes the focus, so that it is read first */
	var errors = document.getElementById("errors");
	if (errors)
		errors.focus();

	/* a menu closes by Escape, and by a click anywhere else */
	function close(except) {
		document.querySelectorAll("details.pop[open]").forEach(function (d) {
			if (d !== except)
				d.open = false;
		});
	}
	document.addEventListener("click", function (e) {
		close(e.target.closest("details.pop"));
	});
	document.addEventListener("keydown", function (e) {
		var open = document.querySelector("details.pop[open]");
		var typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);

		if (e.key === "Escape" && open) {
			close(null);
			open.querySelector("summary").focus();
		} else if (e.key === "/" && !typing && !e.ctrlKey && !e.metaKey && !e.altKey) {
			var find = document.querySelector(".find input");
			if (find) {
				find.focus();
				e.preventDefault();
			}
		}
	});

	/* what is copied is copied by one click */
	document.addEventListener("click", function (e) {
		var text = e.target.closest(".copy");

		if (text && navigator.clipboard && !text.closest("a"))
			navigator.clipboard.writeText(text.textContent.trim()).catch(function () {});
	});

	/* a form that is on its way is not sent twice */
	document.addEventListener("submit", function (e) {
		if (e.target.getAttribute("method") !== "post" || e.defaultPrevented)
			return;
		if (e.target.dataset.sent)
			e.preventDefault();
		e.target.dataset.sent = "1";
	});
	window.addEventListener("pageshow", function () {
		document.querySelectorAll("form").forEach(function (f) {
			delete f.dataset.sent;
		});
	});
})();
