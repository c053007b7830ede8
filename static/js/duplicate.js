// Of a duplicate, whoever contacts the victim for the other report is chosen first; of another reason, nobody is.
document.addEventListener("change", ({ target }) => {
  const who = target.name === "reason" && target.form?.elements.contact_by;
  if (!who) return;
  const isDuplicate = target.value === "duplicate";
  if (isDuplicate && who.value === "") who.value = "other_report";
  if (!isDuplicate && who.value === "other_report") who.value = "";
});
