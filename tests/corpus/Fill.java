// Fills in forms with JavaRosa, the engine inside ODK Collect, as it comes in ODK Validate: no code of ours stands behind its answers.
//
// Every line on standard input is "FOLDER<tab>SEED"; FOLDER holds form.xml and media/. The seed also chooses the language, one after
// the other, and every text that is shown is read in it. The filled record and its files go to
// FOLDER/javarosa/, and one line says "FOLDER<tab>STATE<tab>MESSAGE": the state is "valid", "invalid" (the engine still objects) or
// "refused" (the engine does not take the form).

import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.javarosa.core.model.Constants;
import org.javarosa.core.model.CoreModelModule;
import org.javarosa.core.model.FormDef;
import org.javarosa.core.model.FormIndex;
import org.javarosa.core.model.RangeQuestion;
import org.javarosa.core.model.SelectChoice;
import org.javarosa.core.model.ValidateOutcome;
import org.javarosa.core.model.condition.EvaluationContext;
import org.javarosa.core.model.condition.IFunctionHandler;
import org.javarosa.core.model.data.IAnswerData;
import org.javarosa.core.model.data.MultipleItemsData;
import org.javarosa.core.model.data.SelectOneData;
import org.javarosa.core.model.data.StringData;
import org.javarosa.core.model.data.helper.Selection;
import org.javarosa.core.model.instance.InstanceInitializationFactory;
import org.javarosa.core.model.instance.TreeElement;
import org.javarosa.core.reference.PrefixedRootFactory;
import org.javarosa.core.reference.Reference;
import org.javarosa.core.reference.ReferenceManager;
import org.javarosa.core.services.PropertyManager;
import org.javarosa.core.services.PrototypeManager;
import org.javarosa.core.util.JavaRosaCoreModule;
import org.javarosa.form.api.FormEntryCaption;
import org.javarosa.form.api.FormEntryController;
import org.javarosa.form.api.FormEntryModel;
import org.javarosa.form.api.FormEntryPrompt;
import org.javarosa.model.xform.XFormSerializingVisitor;
import org.javarosa.model.xform.XFormsModule;
import org.javarosa.xform.parse.XFormParser;
import org.javarosa.xform.util.XFormAnswerDataParser;
import org.javarosa.xform.util.XFormUtils;
import org.javarosa.xpath.XPathConditional;
import org.opendatakit.validate.StubPropertyManager;
import org.opendatakit.validate.StubSetGeopointActionHandler;

@SuppressWarnings({"deprecation", "rawtypes"})
public class Fill {
    private static final int TRIES = 80;
    private static final int MOST_STEPS = 20_000;
    private static final int MOST_ROUNDS = 2;
    private static final String[] WORDS = {"پلنگ", "گوسفند", "چراگاه در درهٔ بالا", "Леопард", "ውሻ", "तेंदुआ", "herder & dog", "<ridge>", "night ", "Ali", "abc", "x"};
    private static final String[] PLAIN = {"1", "10", "0", "yes", "no", "a@b.org", "0912345678", "09123456789", "1234567890", "AB-123"};
    private static final Pattern NUMBER = Pattern.compile("-?\\d+(\\.\\d+)?");

    private final Path folder;
    private final Path out;
    private final Random chance;
    private final FormDef form;
    private final FormEntryController controller;
    private int files;

    private Fill(Path folder, long seed) throws Exception {
        this.folder = folder;
        this.out = Files.createDirectories(folder.resolve("javarosa"));
        this.chance = new Random(seed);
        Path media = folder.resolve("media");
        ReferenceManager.instance().reset();
        ReferenceManager.instance().addReferenceFactory(new PrefixedRootFactory(
            new String[] {"images", "audio", "video", "file", "file-csv", "instance"}) {
            @Override
            protected Reference factory(String terminal, String uri) {
                return new InFolder(media.resolve(terminal), uri);
            }
        });
        form = XFormUtils.getFormFromFormXml(folder.resolve("form.xml").toString(), null);
        if (form == null) {
            throw new IOException("The form cannot be parsed");
        }
        controller = new FormEntryController(new FormEntryModel(form));
        controller.addFunctionHandler(new FromFile());
        form.initialize(true, new InstanceInitializationFactory());
        String[] languages = controller.getModel().getLanguages();
        if (languages != null) {
            controller.setLanguage(languages[(int) (seed % languages.length)]);
        }
    }

    public static void main(String[] arguments) throws IOException {
        PrintStream answers = System.out;
        System.setOut(System.err);
        new XFormsModule().registerModule();
        PrototypeManager.registerPrototypes(CoreModelModule.classNames);
        PrototypeManager.registerPrototypes(JavaRosaCoreModule.classNames);
        PropertyManager.setPropertyManager(new StubPropertyManager());
        XFormParser.registerActionHandler("setgeopoint", new StubSetGeopointActionHandler());
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] parts = line.split("\t");
            String result;
            try {
                result = new Fill(Path.of(parts[0]), Long.parseLong(parts[1])).run();
            } catch (Exception | StackOverflowError error) {
                result = "refused\t" + error;
            }
            result = result.replaceAll("[\\r\\n]+", " ");
            answers.write((parts[0] + "\t" + result + "\n").getBytes(StandardCharsets.UTF_8));
            answers.flush();
        }
    }

    private String run() throws IOException {
        for (int pass = 0; pass < 3; pass++) {
            walk(pass == 0);
        }
        controller.finalizeFormEntry();
        ValidateOutcome outcome = form.validate(true);
        Files.write(out.resolve("submission.xml"), new XFormSerializingVisitor().serializeInstance(form.getInstance()));
        return outcome == null ? "valid\t" : "invalid\t" + outcome.failedPrompt.getReference() + " (" + outcome.outcome + ")";
    }

    /** From the first question to the last; the first time with new rounds of repeats. */
    private void walk(boolean first) {
        controller.jumpToIndex(FormIndex.createBeginningOfFormIndex());
        for (int step = 0; step < MOST_STEPS; step++) {
            int event = controller.stepToNextEvent();
            if (event == FormEntryController.EVENT_END_OF_FORM) {
                return;
            }
            if (event == FormEntryController.EVENT_QUESTION) {
                read(controller.getModel().getQuestionPrompt());
                answer(controller.getModel().getQuestionPrompt(), first);
            } else if (event == FormEntryController.EVENT_PROMPT_NEW_REPEAT && first) {
                FormIndex index = controller.getModel().getFormIndex();
                if (index.getElementMultiplicity() < MOST_ROUNDS && chance.nextBoolean()) {
                    controller.newRepeat();
                }
            }
        }
    }

    /** What a person would see here; the engine throws where a text cannot be made. */
    private void read(FormEntryPrompt prompt) {
        prompt.getQuestionText();
        prompt.getHelpText();
        if (prompt.getSelectChoices() != null) {
            for (SelectChoice choice : prompt.getSelectChoices()) {
                prompt.getSelectChoiceText(choice);
                prompt.getSpecialFormSelectChoiceText(choice, FormEntryCaption.TEXT_FORM_IMAGE);
            }
        }
    }

    private void answer(FormEntryPrompt prompt, boolean first) {
        FormIndex index = prompt.getIndex();
        if (prompt.isReadOnly()) {
            return;
        }
        if (!first && controller.answerQuestion(index, prompt.getAnswerValue(), true) == FormEntryController.ANSWER_OK) {
            return;
        }
        for (IAnswerData data : attempts(prompt)) {
            try {
                if (data != null && controller.answerQuestion(index, data, true) == FormEntryController.ANSWER_OK) {
                    return;
                }
            } catch (RuntimeException error) {
                continue; // not an answer that fits this question
            }
        }
        controller.answerQuestion(index, null, true);
    }

    private List<IAnswerData> attempts(FormEntryPrompt prompt) {
        List<IAnswerData> found = new ArrayList<>();
        switch (prompt.getControlType()) {
            case Constants.CONTROL_SELECT_ONE:
                for (Selection selection : selections(prompt)) {
                    found.add(new SelectOneData(selection));
                }
                return found;
            case Constants.CONTROL_SELECT_MULTI:
                List<Selection> all = selections(prompt);
                if (!all.isEmpty()) {
                    found.add(new MultipleItemsData(all.subList(0, 1 + chance.nextInt(all.size()))));
                }
                for (Selection selection : all) {
                    found.add(new MultipleItemsData(List.of(selection)));
                }
                return found;
            case Constants.CONTROL_RANK:
                List<Selection> ranked = selections(prompt);
                return ranked.isEmpty() ? found : List.of(new MultipleItemsData(ranked));
            case Constants.CONTROL_TRIGGER:
                return List.of(new StringData("OK"));
            case Constants.CONTROL_IMAGE_CHOOSE:
                return List.of(file(".png"));
            case Constants.CONTROL_AUDIO_CAPTURE:
                return List.of(file(".m4a"));
            case Constants.CONTROL_VIDEO_CAPTURE:
                return List.of(file(".mp4"));
            case Constants.CONTROL_FILE_CAPTURE:
            case Constants.CONTROL_UPLOAD:
            case Constants.CONTROL_OSM_CAPTURE:
                return List.of(file(".pdf"));
            default:
                return typed(prompt);
        }
    }

    private List<Selection> selections(FormEntryPrompt prompt) {
        List<Selection> found = new ArrayList<>();
        for (SelectChoice choice : prompt.getSelectChoices()) {
            found.add(choice.selection());
        }
        Collections.shuffle(found, chance);
        return found;
    }

    private IAnswerData file(String extension) {
        String name = (1_800_000_000_000L + files++) + extension;
        try {
            byte[] content = new byte[100 + chance.nextInt(2000)];
            chance.nextBytes(content);
            Files.write(out.resolve(name), content);
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
        return new StringData(name);
    }

    private List<IAnswerData> typed(FormEntryPrompt prompt) {
        List<String> texts = new ArrayList<>();
        if (prompt.getControlType() == Constants.CONTROL_RANGE) {
            RangeQuestion range = (RangeQuestion) prompt.getQuestion();
            double step = range.getRangeStep().doubleValue(), start = range.getRangeStart().doubleValue();
            int steps = (int) Math.floor((range.getRangeEnd().doubleValue() - start) / step);
            double value = start + step * (steps < 0 ? -chance.nextInt(1 - steps) : chance.nextInt(steps + 1));
            texts.add(prompt.getDataType() == Constants.DATATYPE_INTEGER ? String.valueOf(Math.round(value)) : String.valueOf(value));
        } else {
            texts.add(usual(prompt.getDataType()));
            texts.addAll(mentioned(prompt));
            for (int tries = 0; tries < TRIES; tries++) {
                texts.add(usual(prompt.getDataType()));
            }
            texts.addAll(List.of(PLAIN));
            if (prompt.getDataType() == Constants.DATATYPE_DATE) {
                texts.add(LocalDate.now().toString()); // often the only day between an earlier answer and today
                texts.add(LocalDate.now().plusDays(800).toString()); // after any other answer
            }
        }
        List<IAnswerData> found = new ArrayList<>();
        for (String text : texts) {
            try {
                found.add(XFormAnswerDataParser.getAnswerData(text, prompt.getDataType(), prompt.getQuestion()));
            } catch (RuntimeException error) {
                continue; // not a value of this type
            }
        }
        return found;
    }

    /** What the question's constraint speaks of: its numbers and their neighbours, its texts. */
    private List<String> mentioned(FormEntryPrompt prompt) {
        TreeElement element = form.getInstance().resolveReference(prompt.getIndex().getReference());
        List<String> found = new ArrayList<>();
        if (element == null || element.getConstraint() == null) {
            return found;
        }
        String expression = ((XPathConditional) element.getConstraint().constraint).xpath;
        for (Matcher matcher = NUMBER.matcher(expression); matcher.find();) {
            double number = Double.parseDouble(matcher.group());
            for (double near : new double[] {number, number + 1, number - 1}) {
                found.add(prompt.getDataType() == Constants.DATATYPE_DECIMAL ? String.valueOf(near) : String.valueOf(Math.round(near)));
            }
            if (number > 0 && number < 200) {
                found.add("7".repeat((int) number));
                found.add("m".repeat((int) number));
            }
        }
        return found;
    }

    private String usual(int type) {
        switch (type) {
            case Constants.DATATYPE_INTEGER:
            case Constants.DATATYPE_LONG:
                return String.valueOf(chance.nextInt(new int[] {3, 6, 6, 40}[chance.nextInt(4)]));
            case Constants.DATATYPE_DECIMAL:
                return String.valueOf(Math.round(chance.nextDouble() * new int[] {100, 1000, 20_000}[chance.nextInt(3)]) / 100.0);
            case Constants.DATATYPE_DATE:
                return day();
            case Constants.DATATYPE_TIME:
                return String.format("%02d:%02d:00.000Z", chance.nextInt(24), chance.nextInt(60));
            case Constants.DATATYPE_DATE_TIME:
                return day() + String.format("T%02d:%02d:00.000Z", chance.nextInt(24), chance.nextInt(60));
            case Constants.DATATYPE_BOOLEAN:
                return chance.nextBoolean() ? "true" : "false";
            case Constants.DATATYPE_GEOPOINT:
                return place();
            case Constants.DATATYPE_GEOTRACE:
                return place() + ";" + place() + ";" + place();
            case Constants.DATATYPE_GEOSHAPE:
                String corner = place();
                return corner + ";" + place() + ";" + place() + ";" + corner;
            default:
                return WORDS[chance.nextInt(WORDS.length)];
        }
    }

    private String day() {
        return LocalDate.now().plusDays(chance.nextInt(801) - 400).toString();
    }

    private String place() {
        return (28 + 10 * chance.nextDouble()) + " " + (44 + 15 * chance.nextDouble()) + " " + chance.nextInt(3000) + " 4.5";
    }

    /** A file of the form. */
    private record InFolder(Path path, String uri) implements Reference {
        public boolean doesBinaryExist() {
            return Files.exists(path);
        }

        public InputStream getStream() throws IOException {
            return Files.exists(path) ? Files.newInputStream(path) : new ByteArrayInputStream(new byte[0]);
        }

        public String getURI() {
            return uri;
        }

        public String getLocalURI() {
            return path.toString();
        }

        public boolean isReadOnly() {
            return true;
        }

        public OutputStream getOutputStream() {
            throw new UnsupportedOperationException();
        }

        public void remove() {
            throw new UnsupportedOperationException();
        }

        public Reference[] probeAlternativeReferences() {
            return new Reference[0];
        }
    }

    /** pulldata() is the client's, not the engine's: here it finds nothing. */
    private static class FromFile implements IFunctionHandler {
        public String getName() {
            return "pulldata";
        }

        public List<Class[]> getPrototypes() {
            return new ArrayList<>();
        }

        public boolean rawArgs() {
            return true;
        }

        public boolean realTime() {
            return false;
        }

        public Object eval(Object[] arguments, EvaluationContext context) {
            return "";
        }
    }
}
