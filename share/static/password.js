/*
 * Meridian: what the site would say to a new password, while it is typed. The rules are the server's
 * and are asked there; without this file they are said when the form is sent.
 */
"use strict";

(function () {
	var others = ["username", "first_name", "last_name", "email"];

	function watch(box) {
		var form = box.closest("form");
		var field = form.elements[box.dataset.field];
		var meter = box.querySelector("meter"), said = box.querySelector("[role=status]");
		var timer = null, asking = null;

		function show(answer) {
			var list = document.createElement("ul");

			answer.problems.forEach(function (text) {
				var item = document.createElement("li");
				item.textContent = text;
				list.appendChild(item);
			});
			if (answer.problems.length === 0)
				said.textContent = "This password keeps every rule.";
			else
				said.replaceChildren(list);
			meter.max = answer.rules;
			meter.value = answer.kept;
			box.classList.toggle("good", answer.problems.length === 0);
			box.hidden = false;
		}

		function ask() {
			var data = new URLSearchParams();

			if (asking)
				asking.abort();
			if (field.value === "") {
				box.hidden = true;
				return;
			}
			asking = new AbortController();
			data.set("password", field.value);
			data.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
			others.forEach(function (name) {
				if (form.elements[name])
					data.set(name, form.elements[name].value);
			});
			fetch(box.dataset.check, { method: "POST", body: data, signal: asking.signal })
				.then(function (r) {
					return r.ok ? r.json() : Promise.reject();
				})
				.then(show)
				.catch(function (why) {
					/* an answer that another one overtakes is no failure */
					if (!why || why.name !== "AbortError")
						box.hidden = true;
				});
		}

		form.addEventListener("input", function (e) {
			if (e.target !== field && others.indexOf(e.target.name) < 0)
				return;
			clearTimeout(timer);
			timer = setTimeout(ask, 300);
		});
	}

	document.querySelectorAll(".strength").forEach(function (box) {
		/* a page with two such fields loads this file twice */
		if (!box.dataset.watched)
			watch(box);
		box.dataset.watched = "1";
	});
})();
