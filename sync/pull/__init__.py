"""Taking over what was collected elsewhere: on ODK Central, on KoBoToolbox, in the folder of a phone. Nothing is changed there."""
